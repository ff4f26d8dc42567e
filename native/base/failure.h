#pragma once
#include <cerrno>
#include <exception>
#include <string>
#include <utility>

namespace tsrun {

/// A step that failed: what crosses to TypeScript as FailureRecord (src/native/launch.ts). Thrown everywhere
/// except in the container's child, which reports through ChildReport and never unwinds.
class Failure : public std::exception {
 public:
  Failure(std::string step, int error, std::string subject, std::string detail = {})
      : step(std::move(step)), error(error), subject(std::move(subject)), detail(std::move(detail)) {}
  const char* what() const noexcept override { return step.c_str(); }

  std::string step;     ///< name of the step, see runtime/steps.h
  int error;            ///< errno, 0 if none
  std::string subject;  ///< path, name or id
  std::string detail;   ///< free text where errno does not say enough
};

[[noreturn]] inline void fail(const char* step, std::string subject) {
  throw Failure(step, errno, std::move(subject));
}

/// Returns `result`, or throws with the current errno when it is negative.
template <typename T>
T check(T result, const char* step, const std::string& subject) {
  if (result < 0) fail(step, subject);
  return result;
}

}  // namespace tsrun
