#include "verb_server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

namespace {

constexpr int kFds = 3;
constexpr double kPatience = 20;  ///< seconds; far more than any of the test archives takes

struct Job {
  pid_t pid;
  int pidfd;
  int client;
  double since;
  std::string verb;
  bool late = false;
};

double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

int listenOn(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 64) != 0) {
    std::perror("verb server");
    std::exit(1);
  }
  return fd;
}

/// Arguments, each with a NUL, and the client's fds 0 to 2. False if that is not what came.
bool receive(int client, std::vector<std::string>& arguments, int (&fds)[kFds]) {
  static char text[1 << 17];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fds)];
  iovec part{text, sizeof text};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(client, &message, MSG_CMSG_CLOEXEC);
  const cmsghdr* header = size > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header == nullptr || header->cmsg_len != CMSG_LEN(sizeof fds)) return false;
  std::memcpy(fds, CMSG_DATA(header), sizeof fds);
  for (ssize_t at = 0; at < size; at += static_cast<ssize_t>(arguments.back().size()) + 1)
    arguments.emplace_back(text + at);
  return true;
}

[[noreturn]] void runChild(std::vector<std::string>& arguments, const int (&fds)[kFds], VerbRunner run) {
  for (int fd = 0; fd < kFds; ++fd) dup2(fds[fd], fd);
  syscall(SYS_close_range, 3U, ~0U, 0U);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  _exit(run(static_cast<int>(argv.size()), argv.data()));
}

void begin(int listener, std::vector<Job>& jobs, VerbRunner run) {
  const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  std::vector<std::string> arguments;
  int fds[kFds];
  if (client < 0) return;
  if (!receive(client, arguments, fds)) {
    close(client);
    return;
  }
  const pid_t pid = fork();
  if (pid == 0) runChild(arguments, fds, run);
  for (const int fd : fds) close(fd);
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  jobs.push_back({pid, pidfd, client, now(), arguments.empty() ? "" : arguments[0]});
}

/// One line for whoever watches, the wait status for the client.
void end(const Job& job) {
  int status = 0;
  rusage usage{};
  wait4(job.pid, &status, 0, &usage);
  std::printf("%s %d %d %ld %.3f\n", job.verb.c_str(), status, job.late ? 1 : 0, usage.ru_maxrss,
              now() - job.since);
  std::fflush(stdout);
  send(job.client, &status, sizeof status, MSG_NOSIGNAL);
  close(job.client);
  close(job.pidfd);
}

}  // namespace

int serveVerbs(const char* path, VerbRunner run) {
  const int listener = listenOn(path);
  std::vector<Job> jobs;
  for (;;) {
    // fd 0: who started us has gone.
    std::vector<pollfd> fds{{listener, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    for (const Job& job : jobs) {
      fds.push_back({job.pidfd, POLLIN, 0});
      fds.push_back({job.client, 0, 0});
    }
    poll(fds.data(), fds.size(), 500);
    if (fds[1].revents != 0) break;
    for (std::size_t i = jobs.size(); i-- > 0;) {
      Job& job = jobs[i];
      if (!job.late && now() - job.since > kPatience) job.late = true;
      if (job.late || (fds[2 + 2 * i + 1].revents & (POLLHUP | POLLERR)) != 0) kill(job.pid, SIGKILL);
      if (fds[2 + 2 * i].revents == 0) continue;
      end(job);
      jobs.erase(jobs.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (fds[0].revents != 0) begin(listener, jobs, run);
  }
  for (const Job& job : jobs) kill(job.pid, SIGKILL);
  return 0;
}
