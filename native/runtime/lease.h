#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "runtime/ledger.h"

namespace tsrun {

/// An IPv4 network. Addresses are host-order numbers.
struct Subnet {
  std::uint32_t address = 0;  ///< of the network: host bits are zero
  int prefixLen = 0;
  std::uint32_t gateway = 0;  ///< the bridge's own address in it

  std::uint32_t mask() const { return prefixLen == 0 ? 0 : ~std::uint32_t{0} << (32 - prefixLen); }
  bool overlaps(const Subnet& other) const {
    const std::uint32_t common = mask() & other.mask();
    return (address & common) == (other.address & common);
  }
  std::string text() const;  ///< "172.30.0.0/16"
};
std::string ipText(std::uint32_t address);

/// The state of tsrun's networking in one network namespace: /run/tsrun/net/<boot id, first 8>-<inode of the
/// namespace>.
///     lock            one OFD lock: whoever changes bridge, rules or leases holds it
///     next            the last address given, so that the search goes on behind it
///     leases/<ip>     OFD-locked by the monitor that has the address; holds the owner's token
/// Nothing in it is the truth about bridge or rules: that is asked from the kernel.
class NetworkState {
 public:
  /// Locks the state of the current network namespace, making the directory if needed. Waits for other
  /// holders.
  static NetworkState lock();
  /// Locks the state that `leasePath` belongs to; nullopt if the directory is gone.
  static std::optional<NetworkState> lockOf(const std::string& leasePath);

  struct Taken {
    std::string path, subject;  ///< the file; what the ledger holds: "<path>#<token>"
    std::uint32_t address = 0;
    UniqueFd lock;
  };
  /// Finds a free address (never network, gateway or broadcast), records it in the ledger, takes it. The
  /// search goes on behind the last one given, so that an address is not reused while a neighbour still
  /// remembers its old owner.
  Taken take(const Subnet& subnet, const std::string& owner, Ledger& ledger);
  /// Removes the lease file if it still carries `token`.
  void drop(const std::string& leasePath, const std::string& token);
  /// Whether any lease is held by a living monitor.
  bool inUse() const;
  /// Whether this is the state of the network namespace that we are in.
  bool isCurrent() const;
  /// Its copies hold the lock as well.
  int lockFd() const { return lock_.get(); }
  /// Removes the directory: the last thing to do with this object.
  void remove();

 private:
  NetworkState(std::string dir, UniqueFd lock) : dir_(std::move(dir)), lock_(std::move(lock)) {}
  static std::optional<NetworkState> tryLock(const std::string& dir, bool create, bool wait);
  /// Removes what earlier boots, and namespaces that are gone, left behind.
  static void sweep(const std::string& current);

  std::string dir_;
  UniqueFd lock_;
};

}  // namespace tsrun
