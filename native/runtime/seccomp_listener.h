#pragma once
#include <sys/types.h>

#include <map>
#include <string>

#include "runtime/spec.h"

namespace tsrun {

/// The state of a container, as the OCI defines it.
struct ContainerState {
  std::string id, status;
  pid_t pid = 0;
  std::string bundle;
  std::map<std::string, std::string> annotations;
};

/// Who answers the system calls that a profile notifies of.
struct SeccompListener {
  std::string path;  ///< of a unix socket; empty = none
  std::string metadata, ociVersion;
  ContainerState state;
};

/// That of the profile of `spec`.
SeccompListener listenerOf(const Spec& spec, ContainerState state);

/// What the maker of a process does when that says kListener (runtime/child.h), about to load its filter:
/// takes the kernel's listener out of it and sends it, with the process's state, to the socket. The process
/// waits for a byte then; until it has that, or if what it does to get it is notified of, it stands still.
/// Throws Failure(step::kSeccomp).
void passListener(pid_t pid, int pidfd, const SeccompListener& listener);

}  // namespace tsrun
