#pragma once
#include <string>

namespace tsrun {

/// Makes sure that this network namespace has tsrun's nft table for `bridge` with `subnet` ("172.30.0.0/16"):
/// asked by netlink each time, (re)made by one `nft` child when it is missing or not what it must be (a
/// firewall was reloaded). The child keeps `lockFd` open: if we die, whoever waits for that lock to clean up
/// waits for the child too. Throws Failure(network.nat).
void ensureNat(const std::string& bridge, const std::string& subnet, int lockFd);

/// Deletes the table, by netlink. Accepts "already gone".
void removeNat();

}  // namespace tsrun
