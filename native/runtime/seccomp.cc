#include "runtime/seccomp.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/failure.h"
#include "runtime/child.h"
#include "runtime/seccomp_compile.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr unsigned kWaitKillable = 1 << 5;  // since 5.19

bool asksFor(const Spec::Seccomp& profile, std::string_view action) {
  return profile.defaultAction == action ||
         std::ranges::any_of(profile.syscalls, [&](const auto& rule) { return rule.action == action; });
}

unsigned flagOf(const std::string& name) {
  if (name == "SECCOMP_FILTER_FLAG_TSYNC") return 0;  // one thread only here, so it is implied
  if (name == "SECCOMP_FILTER_FLAG_LOG") return SECCOMP_FILTER_FLAG_LOG;
  if (name == "SECCOMP_FILTER_FLAG_SPEC_ALLOW") return SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  if (name == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") return kWaitKillable;
  throw Failure(step::kSeccomp, EINVAL, name, "unsupported flag");
}

int install(unsigned flags, const sock_fprog& program) {
  return static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

}  // namespace

SeccompFilter::SeccompFilter(const Spec::Seccomp& profile)
    : program_(compileSeccomp(profile)), flagsGiven_(!profile.flags.empty()) {
  for (const std::string& name : profile.flags) flags_ |= flagOf(name);
  notifies_ = asksFor(profile, "SCMP_ACT_NOTIFY");
  if (notifies_ && profile.listenerPath.empty())
    throw Failure(step::kSeccomp, EINVAL, "listenerPath",
                  "is missing: SCMP_ACT_NOTIFY needs somebody who answers");
  if (profile.listenerPath.empty() && !profile.listenerMetadata.empty())
    throw Failure(step::kSeccomp, EINVAL, "listenerMetadata", "needs a listenerPath");
  if (!notifies_ && (flags_ & kWaitKillable) != 0)
    throw Failure(step::kSeccomp, EINVAL, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "needs SCMP_ACT_NOTIFY");
  // Without it each filtered process pays for the speculation barriers of hostile-code sandboxes; peers set
  // it too.
  if (!flagsGiven_) flags_ = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  if (notifies_) flags_ |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

/// By read alone: whatever filter lets a program run allows it, and the listener has been taken by then even
/// if it is notified of.
void SeccompFilter::awaitListener(int sync, Report& report) const {
  char byte;
  ssize_t got;
  do got = read(sync, &byte, 1);
  while (got < 0 && errno == EINTR);
  if (got < 0) report.die("listener");
  if (got == 0) _exit(1);
}

void SeccompFilter::load(int sync, Report& report) const {
  if (program_.empty()) return;
  report.step(step::kSeccomp);
  const sock_fprog program = {static_cast<unsigned short>(program_.size()),
                              const_cast<sock_filter*>(program_.data())};
  // Before: it may be the last that this process can say by itself.
  if (notifies_ && write(sync, &kListener, 1) != 1) report.die("listener");
  int result = install(flags_, program);
  // The default flag is about speed and not about safety: a kernel that does not know it still filters.
  if (result < 0 && !flagsGiven_ && errno == EINVAL)
    result = install(flags_ & ~static_cast<unsigned>(SECCOMP_FILTER_FLAG_SPEC_ALLOW), program);
  if (result < 0) report.die("seccomp");
  if (notifies_) awaitListener(sync, report);
}

}  // namespace tsrun
