#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "base/unique_fd.h"
#include "helper/buffer.h"
#include "helper/event_loop.h"
#include "runtime/child.h"
#include "runtime/launch.h"

namespace tsrun {

/// The container's standard streams: pipes, or the master of its terminal.
class Stdio {
 public:
  using Sink = std::function<void(int stream, const char* data, std::size_t length)>;

  /// Makes the pipes (none for a terminal: its master comes from the child). Throws Failure(step::kLoop).
  Stdio(const Launch& launch, bool terminal);

  /// The child's ends, to be closed in the monitor after the clone; and all of the monitor's, to be closed in
  /// the child.
  ChildFds childFds() const;
  void closeChildEnds();
  void closeParentEndsInChild() const;

  /// From here on the streams are served: output goes to `sink`.
  void watch(EventLoop& loop, Sink sink);
  /// The terminal's master, as the child sent it.
  void adoptTerminal(UniqueFd master);

  void input(const char* data, std::size_t length);
  /// The client's end of file. A pipe that is for one client only is closed when everything before has been
  /// written; a terminal has no end of file of its own (a user types ^D), and Docker leaves it open as well.
  void inputEnded();
  bool inputCongested() const { return input_.size() >= kBufferLimit; }
  void resize(unsigned rows, unsigned cols);

  /// The main process has ended: a terminal's own slave is given up, so that end of file can come.
  void processEnded();
  bool outputEnded() const;
  /// What is read from now on is dropped.
  void abandonOutput();
  /// Recomputes what each fd is watched for. After every round of the loop.
  void update(bool mayRead);

 private:
  struct Output {
    UniqueFd fd;
    std::unique_ptr<Watch> watch;
  };
  void read(int stream);
  void writeInput();
  void closeInput();

  bool terminal_, openStdin_, stdinOnce_;
  UniqueFd childIn_, childOut_, childErr_;
  Output outputs_[2];
  EventLoop* loop_ = nullptr;
  Sink sink_;

  UniqueFd inputFd_;
  std::unique_ptr<Watch> inputWatch_;
  Buffer input_;
  bool inputBlocked_ = false, inputEnds_ = false;

  UniqueFd slave_;
  bool awaitsTerminal_;
  std::optional<Launch::Size> size_;
};

}  // namespace tsrun
