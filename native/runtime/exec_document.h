#pragma once
#include <string>

#include "runtime/launch.h"
#include "runtime/spec.h"

namespace tsrun {

/// What `exec` runs in a container: ExecSpec of src/native/launch.ts, laid over the container's own
/// documents, so that all that it does not name is as the first process has it.
struct ExecDocument {
  std::string id;  ///< 64 hex, names it in events
  Spec spec;
  Launch launch;
};

/// Docker's text in events: the program, a blank, and its arguments if there are any.
std::string commandOf(const ExecDocument& document);

/// The health check of the container of `dir`, as `exec` runs it: with the environment, user and working
/// directory of the first process. Throws Failure(step::kHelperConfig).
ExecDocument probeDocument(const std::string& dir);

/// Reads it from `fd` to its end. Throws Failure(step::kHelperConfig).
ExecDocument readExecDocument(int fd, const std::string& dir);

}  // namespace tsrun
