#include "runtime/caps.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

// By number, from 0.
constexpr const char* kNames[] = {"CHOWN",
                                  "DAC_OVERRIDE",
                                  "DAC_READ_SEARCH",
                                  "FOWNER",
                                  "FSETID",
                                  "KILL",
                                  "SETGID",
                                  "SETUID",
                                  "SETPCAP",
                                  "LINUX_IMMUTABLE",
                                  "NET_BIND_SERVICE",
                                  "NET_BROADCAST",
                                  "NET_ADMIN",
                                  "NET_RAW",
                                  "IPC_LOCK",
                                  "IPC_OWNER",
                                  "SYS_MODULE",
                                  "SYS_RAWIO",
                                  "SYS_CHROOT",
                                  "SYS_PTRACE",
                                  "SYS_PACCT",
                                  "SYS_ADMIN",
                                  "SYS_BOOT",
                                  "SYS_NICE",
                                  "SYS_RESOURCE",
                                  "SYS_TIME",
                                  "SYS_TTY_CONFIG",
                                  "MKNOD",
                                  "LEASE",
                                  "AUDIT_WRITE",
                                  "AUDIT_CONTROL",
                                  "SETFCAP",
                                  "MAC_OVERRIDE",
                                  "MAC_ADMIN",
                                  "SYSLOG",
                                  "WAKE_ALARM",
                                  "BLOCK_SUSPEND",
                                  "AUDIT_READ",
                                  "PERFMON",
                                  "BPF",
                                  "CHECKPOINT_RESTORE"};
constexpr unsigned kCount = std::size(kNames);

std::uint64_t maskOf(const std::vector<std::string>& names) {
  std::uint64_t mask = 0;
  for (const std::string& name : names) {
    unsigned bit = 0;
    while (bit < kCount && name != std::string("CAP_") + kNames[bit]) bit++;
    if (bit == kCount) throw Failure(step::kCaps, EINVAL, name, "unknown capability");
    mask |= std::uint64_t{1} << bit;
  }
  return mask;
}

struct Sets {
  std::uint64_t effective, permitted, inheritable;
};

int getSets(Sets& sets) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) < 0) return -1;
  const auto join = [](__u32 low, __u32 high) { return low | std::uint64_t{high} << 32; };
  sets = {join(data[0].effective, data[1].effective), join(data[0].permitted, data[1].permitted),
          join(data[0].inheritable, data[1].inheritable)};
  return 0;
}

int setSets(const Sets& sets) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  for (int i = 0; i < 2; i++)
    data[i] = {static_cast<__u32>(sets.effective >> 32 * i), static_cast<__u32>(sets.permitted >> 32 * i),
               static_cast<__u32>(sets.inheritable >> 32 * i)};
  return static_cast<int>(syscall(SYS_capset, &header, data));
}

}  // namespace

std::vector<std::string> capabilityNames() {
  return {std::begin(kNames), std::end(kNames)};
}

Capabilities::Capabilities(const Spec::Process& process) {
  if (!process.capabilities) return;
  given_ = true;
  bounding_ = maskOf(process.capabilities->bounding);
  effective_ = maskOf(process.capabilities->effective);
  permitted_ = maskOf(process.capabilities->permitted);
  inheritable_ = maskOf(process.capabilities->inheritable);
  // The kernel raises none that is not in both, and a spec that names more asks for what cannot be: left out,
  // as by the runtimes whose own default spec does that.
  ambient_ = maskOf(process.capabilities->ambient) & permitted_ & inheritable_;
}

void Capabilities::limit(Report& report) const {
  if (!given_) return;
  report.step(step::kCaps);
  // Up to the kernel's last one, which may be newer than this list: what has no name here is dropped too.
  for (unsigned bit = 0; bit < 64; bit++) {
    if (bounding_ >> bit & 1) continue;
    const int held = prctl(PR_CAPBSET_READ, bit);
    if (held < 0 && errno == EINVAL) break;
    if (held < 0 || (held == 1 && prctl(PR_CAPBSET_DROP, bit) < 0))
      report.die(bit < kCount ? kNames[bit] : "capability");
  }
}

void Capabilities::keepAcrossSetuid(Report& report) const {
  if (prctl(PR_SET_KEEPCAPS, 1) < 0) report.die("keep capabilities");
}

void Capabilities::apply(unsigned uid, Report& report) const {
  report.step(step::kCaps);
  Sets own{};
  if (getSets(own) < 0) report.die("capget");
  if (given_) {
    // What this engine does not hold itself (a nested machine without SYS_RESOURCE) cannot be given.
    Sets sets = {effective_ & own.permitted, permitted_ & own.permitted, inheritable_ & own.permitted};
    if (uid != 0) sets.effective = ambient_ & own.permitted;
    if (setSets(sets) < 0) report.die("capset");
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) report.die("ambient");
    for (unsigned bit = 0; bit < kCount; bit++)
      if ((ambient_ & own.permitted) >> bit & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit, 0, 0) < 0)
        report.die(kNames[bit]);
  } else if (uid != 0) {
    if (setSets({0, 0, own.inheritable}) < 0) report.die("capset");
  }
  if (prctl(PR_SET_KEEPCAPS, 0) < 0) report.die("keep capabilities");
}

}  // namespace tsrun
