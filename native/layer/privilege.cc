#include "layer/privilege.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <exception>

#include "base/failure.h"
#include "layer/layer_steps.h"

namespace tsrun {
namespace {

struct Capabilities {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};

  // The raw calls act on the calling thread; libraries may apply them to all.
  void load() { check(syscall(SYS_capget, &header, data), step::kLayerJail, "capget"); }
  void store() { check(syscall(SYS_capset, &header, data), step::kLayerJail, "capset"); }
};

std::uint32_t bit(int capability) {
  return 1U << (capability % 32);
}

/// Returns what it was.
bool setAdmin(bool on) {
  Capabilities caps;
  caps.load();
  auto& effective = caps.data[CAP_SYS_ADMIN / 32].effective;
  const bool was = (effective & bit(CAP_SYS_ADMIN)) != 0;
  if (was == on) return was;
  effective ^= bit(CAP_SYS_ADMIN);
  caps.store();
  return was;
}

}  // namespace

void setCapabilities(std::initializer_list<int> effective, std::initializer_list<int> dormant) {
  Capabilities caps;
  for (const int capability : effective) {
    caps.data[capability / 32].effective |= bit(capability);
    caps.data[capability / 32].permitted |= bit(capability);
  }
  for (const int capability : dormant) caps.data[capability / 32].permitted |= bit(capability);
  caps.store();
}

AdminScope::AdminScope() : before_(setAdmin(true)) {}

AdminScope::~AdminScope() {
  try {
    setAdmin(before_);
  } catch (const Failure&) {
    std::terminate();  // lowering cannot fail; going on with it raised must not happen
  }
}

}  // namespace tsrun
