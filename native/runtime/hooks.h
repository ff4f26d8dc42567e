#pragma once
#include <string>
#include <vector>

#include "runtime/report.h"

namespace tsrun {

/// One hook of an OCI configuration.
struct Hook {
  std::string path;
  std::vector<std::string> args, env;
  int timeout = 0;  ///< seconds; 0 = for ever
};

/// The state of a container as JSON, in two parts: its pid goes between them.
struct HookState {
  std::string head, tail;
};

/// Programs that are run at one point of a container's life, in order, each with the state on stdin. Prepared
/// before clone3: running them allocates nothing.
class Hooks {
 public:
  /// `point` names them in errors.
  Hooks(const char* point, std::vector<Hook> hooks, HookState state);
  Hooks(Hooks&&) = delete;

  bool any() const { return !hooks_.empty(); }

  /// In this process's namespaces and working directory. The first that fails is reported, and ends this
  /// process.
  void run(int pid, Report& report) const;
  /// The same outside of a container's child. Throws Failure(step::kHook).
  void run(int pid) const;
  /// Runs all of them, whatever becomes of the others. The failures.
  std::vector<Failure> runAll(int pid) const;

 private:
  struct Prepared {
    Hook hook;
    std::vector<char*> argv, envp;
  };
  /// What went wrong, or nothing; the text is static or in `message`.
  struct Outcome {
    int error = 0;
    const char* detail = nullptr;
    bool ok() const { return detail == nullptr; }
  };
  Outcome runOne(const Prepared& prepared, int pid, char* message, std::size_t room) const;

  const char* point_;
  std::vector<Prepared> hooks_;
  HookState state_;
};

}  // namespace tsrun
