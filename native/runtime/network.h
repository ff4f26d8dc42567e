#pragma once
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "runtime/launch.h"
#include "runtime/ledger.h"

namespace tsrun {

/// An address on the default bridge. The lease is an OFD lock on its file below /run/tsrun/net/<netns>/: held
/// by the monitor for as long as the container runs, so a lease of a dead monitor is simply free (several
/// stores share it).
struct Lease {
  std::string ip, gateway, mac, bridge;
  int prefixLen = 0;
  std::string path;
  UniqueFd lock;
};

/// Brings `lo` up in the network namespace of process `pid`, and for mode "bridge" connects it: bridge and
/// NAT rules (made on first use), lease, veth, address, default route. Everything is recorded in `ledger`
/// before it is made. Runs in the monitor, in the host's network namespace (it visits the child's by setns
/// and comes back: the helper is single-threaded). Returns the lease for mode "bridge".
std::optional<Lease> connectNetwork(const Launch& launch, int pid, Ledger& ledger);

/// Rewrites the container's hosts file in place (it is bind-mounted, so never by rename).
void writeHosts(const std::string& path, const Launch& launch, const std::optional<Lease>& lease);

/// Ledger releasers. Both accept "already gone".
void releaseVeth(const std::string& name);
/// Frees the address; the last lease on the network takes bridge, rules and directory with it.
void releaseLease(const std::string& path);

}  // namespace tsrun
