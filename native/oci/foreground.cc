#include "oci/foreground.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>

#include "base/failure.h"
#include "runtime/file.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

/// The caller's terminal without its own ideas of what is typed, for as long as this lives.
class RawMode {
 public:
  RawMode() {
    if (isatty(STDIN_FILENO) != 1 || tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios raw = before_;
    cfmakeraw(&raw);
    active_ = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
  }
  ~RawMode() {
    if (active_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;

 private:
  termios before_{};
  bool active_ = false;
};

void copySize(int master) {
  winsize size{};
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
      ioctl(master, TIOCSWINSZ, &size);
      return;
    }
}

/// False at the end of `from`. What cannot be written is left: the program decides what its end means.
bool copySome(int from, int to) {
  char data[16 << 10];
  const ssize_t got = read(from, data, sizeof data);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got > 0) writeAll(to, data, static_cast<std::size_t>(got));
  return got > 0;
}

}  // namespace

Foreground::Foreground() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  signals_.reset(check(signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK), step::kLoop, "signalfd"));
}

int Foreground::follow(pid_t pid, UniqueFd terminal) {
  std::optional<RawMode> raw;
  if (terminal) {
    copySize(terminal.get());
    raw.emplace();
  }
  bool input = static_cast<bool>(terminal);
  std::optional<int> status;
  const auto reap = [&] {
    int value = 0;
    for (pid_t ended; (ended = waitpid(-1, &value, WNOHANG)) > 0;)
      if (ended == pid) status = value;
  };
  reap();
  while (!status) {
    pollfd fds[] = {{signals_.get(), POLLIN, 0},
                    {terminal ? terminal.get() : -1, POLLIN, 0},
                    {input ? STDIN_FILENO : -1, POLLIN, 0}};
    if (poll(fds, 3, -1) < 0 && errno != EINTR) fail(step::kLoop, "poll");
    if (fds[1].revents != 0 && !copySome(terminal.get(), STDOUT_FILENO)) {
      terminal.reset();
      input = false;
    }
    if (fds[2].revents != 0 && input) input = copySome(STDIN_FILENO, terminal.get());
    signalfd_siginfo info{};
    while (read(signals_.get(), &info, sizeof info) == sizeof info) {
      const int number = static_cast<int>(info.ssi_signo);
      if (number == SIGCHLD)
        reap();
      else if (number == SIGWINCH && terminal)
        copySize(terminal.get());
      else if (number != SIGPIPE && number != SIGURG)
        kill(pid, number);
    }
  }
  // What it wrote before its end is still in the terminal.
  if (terminal) {
    fcntl(terminal.get(), F_SETFL, fcntl(terminal.get(), F_GETFL) | O_NONBLOCK);
    char data[16 << 10];
    for (ssize_t got; (got = read(terminal.get(), data, sizeof data)) > 0 || (got < 0 && errno == EINTR);)
      if (got > 0) writeAll(STDOUT_FILENO, data, static_cast<std::size_t>(got));
  }
  return WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
}

}  // namespace tsrun::oci
