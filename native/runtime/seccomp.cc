#include "runtime/seccomp.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/failure.h"
#include "runtime/seccomp_compile.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

unsigned flagOf(const std::string& name) {
  if (name == "SECCOMP_FILTER_FLAG_TSYNC") return 0;  // one thread only here, so it is implied
  if (name == "SECCOMP_FILTER_FLAG_LOG") return SECCOMP_FILTER_FLAG_LOG;
  if (name == "SECCOMP_FILTER_FLAG_SPEC_ALLOW") return SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  throw Failure(step::kSeccomp, EINVAL, name, "unsupported flag");
}

int install(unsigned flags, const sock_fprog& program) {
  return static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

}  // namespace

SeccompFilter::SeccompFilter(const Spec::Seccomp& profile)
    : program_(compileSeccomp(profile)), flagsGiven_(!profile.flags.empty()) {
  for (const std::string& name : profile.flags) flags_ |= flagOf(name);
  // Without it each filtered process pays for the speculation barriers of hostile-code sandboxes; peers set
  // it too.
  if (!flagsGiven_) flags_ = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
}

void SeccompFilter::load(Report& report) const {
  if (program_.empty()) return;
  report.step(step::kSeccomp);
  const sock_fprog program = {static_cast<unsigned short>(program_.size()),
                              const_cast<sock_filter*>(program_.data())};
  if (install(flags_, program) == 0) return;
  // The default flag is about speed and not about safety: a kernel that does not know it still filters.
  if (flagsGiven_ || errno != EINVAL || install(0, program) < 0) report.die("seccomp");
}

}  // namespace tsrun
