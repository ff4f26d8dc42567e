#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/spec.h"

namespace tsrun {

using IdMap = std::vector<Spec::IdMapping>;
struct IdMaps {
  IdMap uids, gids;
  bool empty() const { return uids.empty() && gids.empty(); }
  bool operator==(const IdMaps&) const = default;
};

/// What the host calls the container's `id`; nullopt if it has no name there.
std::optional<unsigned> hostIdOf(const IdMap& map, unsigned id);

/// Throws Failure(step::kUserNs) for maps that the kernel would refuse with no more than EINVAL: an empty
/// one, a range of no ids or past the last one, ranges that overlap on either side.
void checkIdMaps(const IdMaps& maps);

/// Gives the user namespace that `pid`, a child of ours, was born in its maps. Root writes them; anybody else
/// can write the one id that is its own (and gives up setgroups for it, CVE-2014-8989) and asks newuidmap and
/// newgidmap for the rest. Throws Failure(step::kUserNs).
void writeIdMaps(pid_t pid, const IdMaps& maps);

/// A new user namespace with these maps and nobody in it: what the kernel wants to be told of a mount's ids.
/// Throws Failure(step::kUserNs).
UniqueFd makeUserNamespace(const IdMaps& maps);

}  // namespace tsrun
