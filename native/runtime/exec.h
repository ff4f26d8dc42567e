#pragma once
#include <string>
#include <vector>

#include "runtime/report.h"
#include "runtime/spec.h"

namespace tsrun {

/// The program: arguments, environment and the search for it.
class Program {
 public:
  explicit Program(const Spec::Process& process);

  /// Adds HOME, last, unless the environment has one.
  void setHome(const char* home);

  /// Finds args[0], in the PATH of its own environment, as its own user. ENOENT: there is no such program;
  /// EACCES: it is there but cannot be run.
  void find(Report& report);
  /// Becomes it, after looking for it if that has not been done.
  [[noreturn]] void run(Report& report);

 private:
  std::vector<std::string> args_, env_;
  std::vector<char*> argv_, envp_;
  std::string path_;
  bool hasPath_ = false, hasHome_ = false;
  char home_[1100];
  char found_[4096] = "";  ///< PATH_MAX
};

}  // namespace tsrun
