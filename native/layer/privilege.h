#pragma once
#include <initializer_list>

namespace tsrun {

/// Capabilities of the calling thread (they belong to threads, not to processes). `effective` are in force;
/// `dormant` can be raised by AdminScope. Everything else is gone for good. Throws Failure(step::kLayerJail).
void setCapabilities(std::initializer_list<int> effective, std::initializer_list<int> dormant);

/// CAP_SYS_ADMIN in force for a scope: the kernel asks for it to read and write trusted.* attributes,
/// overlayfs' own. It stays dormant otherwise, and the jail's system call filter keeps it from being of use
/// for anything else.
class AdminScope {
 public:
  AdminScope();
  ~AdminScope();
  AdminScope(const AdminScope&) = delete;
  AdminScope& operator=(const AdminScope&) = delete;

 private:
  bool before_;
};

}  // namespace tsrun
