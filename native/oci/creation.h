#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "oci/bundle.h"
#include "oci/context.h"
#include "oci/state.h"
#include "runtime/child.h"
#include "runtime/ledger.h"

namespace tsrun::oci {

/// Makes one container up to the gate where its process waits for `start`. If anything fails nothing is left.
class Creation {
 public:
  /// `foreground`: the caller stays, and may have the terminal for itself.
  Creation(const Context& context, bool foreground);

  /// Throws Failure.
  Container run();

  /// After run(), for one who stays: the process, which is our child.
  pid_t pid() const { return pid_; }
  const Bundle& bundle() const { return bundle_; }
  /// Of a container with a terminal and without a console socket.
  UniqueFd takeTerminal() { return std::move(terminal_); }

 private:
  void checkTerminal() const;
  void prepareLaunch();
  void make();
  void makeGate();
  void makeCgroup();
  void cloneChild();
  void follow();
  void readMessage();
  void readReport();
  void answer() const;
  void undo();

  const Context& context_;
  const bool foreground_;
  std::string id_, pidFile_, consoleSocket_, pidfdSocket_;
  unsigned preserved_ = 0;

  Bundle bundle_;
  State state_;
  std::optional<Container> container_;
  std::optional<Ledger> ledger_;
  std::optional<Cgroup> cgroup_;
  std::unique_ptr<PreparedChild> prepared_;

  pid_t pid_ = 0;
  UniqueFd pidfd_, sync_, report_, gate_, started_, startedReader_, terminal_;
  std::string line_;
  std::optional<Failure> failure_;
  std::string step_;
  bool ready_ = false;
};

/// Opens the gate of a created container, waits until its process is the program, and runs the poststart
/// hooks. Throws Failure if it does not become that.
void startContainer(Container& container, const Bundle& bundle);

/// Ends a container that has stopped: gives back what it holds, then the poststop hooks.
void destroyContainer(Container& container);

}  // namespace tsrun::oci
