#include "helper/stdio.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr std::size_t kChunk = 64 << 10;
char chunk[kChunk];

/// Only the monitor's end is non-blocking: the flag belongs to the open file, which the two ends of a pipe do
/// not share.
void makePipe(UniqueFd& readEnd, UniqueFd& writeEnd) {
  int fds[2];
  check(pipe2(fds, O_CLOEXEC), step::kLoop, "pipe");
  readEnd = UniqueFd(fds[0]);
  writeEnd = UniqueFd(fds[1]);
}

void makeNonBlocking(int fd) {
  const int flags = check(fcntl(fd, F_GETFL), step::kLoop, "F_GETFL");
  check(fcntl(fd, F_SETFL, flags | O_NONBLOCK), step::kLoop, "F_SETFL");
}

}  // namespace

Stdio::Stdio(const Launch& launch, bool terminal)
    : terminal_(terminal),
      openStdin_(launch.openStdin),
      stdinOnce_(launch.stdinOnce),
      awaitsTerminal_(terminal) {
  if (terminal_) return;
  makePipe(outputs_[0].fd, childOut_);
  makePipe(outputs_[1].fd, childErr_);
  makeNonBlocking(outputs_[0].fd.get());
  makeNonBlocking(outputs_[1].fd.get());
  if (openStdin_) {
    makePipe(childIn_, inputFd_);
    makeNonBlocking(inputFd_.get());
  } else {
    childIn_ = UniqueFd(check(open("/dev/null", O_RDONLY | O_CLOEXEC), step::kLoop, "/dev/null"));
  }
}

ChildFds Stdio::childFds() const {
  ChildFds fds;
  fds.in = childIn_.get();
  fds.out = childOut_.get();
  fds.err = childErr_.get();
  return fds;
}

void Stdio::closeChildEnds() {
  childIn_.reset();
  childOut_.reset();
  childErr_.reset();
}

void Stdio::closeParentEndsInChild() const {
  for (const UniqueFd* fd : {&outputs_[0].fd, &outputs_[1].fd, &inputFd_}) {
    if (*fd) close(fd->get());
  }
}

void Stdio::watch(EventLoop& loop, Sink sink) {
  loop_ = &loop;
  sink_ = std::move(sink);
  for (int i = 0; i < 2; ++i) {
    Output& output = outputs_[i];
    if (output.fd)
      output.watch = std::make_unique<Watch>(loop, output.fd.get(), [this, i](std::uint32_t) { read(i); });
  }
  if (inputFd_) {
    inputWatch_ = std::make_unique<Watch>(loop, inputFd_.get(), [this](std::uint32_t) { writeInput(); });
  }
}

void Stdio::adoptTerminal(UniqueFd master) {
  awaitsTerminal_ = false;
  makeNonBlocking(master.get());
  // A slave of our own, as long as the main process lives: without it each moment in which the container has
  // the terminal closed reads as its end. No controlling terminal of ours: we are a session leader.
  slave_ = UniqueFd(ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  // Of its own, so that reading and writing can be watched apart.
  inputFd_ = UniqueFd(check(fcntl(master.get(), F_DUPFD_CLOEXEC, 3), step::kConsole, "dup"));
  outputs_[0].fd = std::move(master);
  watch(*loop_, std::move(sink_));
  if (size_) resize(size_->rows, size_->cols);
  writeInput();
}

void Stdio::read(int index) {
  Output& output = outputs_[index];
  const ssize_t got = ::read(output.fd.get(), chunk, sizeof chunk);
  if (got > 0) return sink_(index + 1, chunk, static_cast<std::size_t>(got));
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  // 0 for a pipe without writers, EIO for a terminal without slaves.
  output.watch->set(0);
  output.fd.reset();
}

void Stdio::input(const char* data, std::size_t length) {
  if (!openStdin_ || inputEnds_ || (!inputFd_ && !awaitsTerminal_)) return;
  input_.append(data, length);
  writeInput();
}

void Stdio::inputEnded() {
  if (terminal_ || !stdinOnce_) return;
  inputEnds_ = true;
  writeInput();
}

void Stdio::writeInput() {
  inputBlocked_ = false;
  while (inputFd_ && !input_.empty()) {
    const ssize_t done = ::write(inputFd_.get(), input_.data(), input_.size());
    if (done > 0) {
      input_.consume(static_cast<std::size_t>(done));
    } else if (done == 0 || errno == EAGAIN) {
      inputBlocked_ = true;
      return;
    } else if (errno != EINTR) {
      return closeInput();  // the program has closed its stdin
    }
  }
  if (inputEnds_ && input_.empty()) closeInput();
}

void Stdio::closeInput() {
  if (inputWatch_) inputWatch_->set(0);
  inputFd_.reset();
  input_.clear();
  inputBlocked_ = false;
}

void Stdio::resize(unsigned rows, unsigned cols) {
  size_ = Launch::Size{static_cast<unsigned short>(rows), static_cast<unsigned short>(cols)};
  if (!terminal_ || !outputs_[0].fd) return;
  winsize size{};
  size.ws_row = size_->rows;
  size.ws_col = size_->cols;
  ioctl(outputs_[0].fd.get(), TIOCSWINSZ, &size);
}

void Stdio::processEnded() {
  slave_.reset();
  awaitsTerminal_ = false;
  closeInput();
}

bool Stdio::outputEnded() const {
  return !awaitsTerminal_ && !outputs_[0].fd && !outputs_[1].fd;
}

void Stdio::abandonOutput() {
  for (Output& output : outputs_) {
    if (output.watch) output.watch->set(0);
    output.fd.reset();
  }
}

void Stdio::update(bool mayRead) {
  for (Output& output : outputs_) {
    if (output.fd && output.watch) output.watch->set(mayRead ? EPOLLIN : 0u);
  }
  if (inputFd_ && inputWatch_) inputWatch_->set(inputBlocked_ ? EPOLLOUT : 0u);
}

}  // namespace tsrun
