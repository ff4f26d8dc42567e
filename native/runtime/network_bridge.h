#pragma once
/// Links and the default bridge, by rtnetlink: what network.cc is made of.
#include <array>
#include <cstdint>
#include <string>

#include "runtime/lease.h"
#include "runtime/netlink.h"

namespace tsrun {

inline constexpr char kBridgeName[] = "tsrun0";
/// Link group of the bridge and of the outer ends of all veths ("tsr0"): they can be deleted by one request,
/// which costs one round of the kernel's grace periods instead of one for each.
inline constexpr std::uint32_t kLinkGroup = 0x74737230;

using MacAddress = std::array<std::uint8_t, 6>;
/// 02:42 + the four bytes of the address: locally administered, and unique where the address is.
MacAddress macOf(std::uint32_t address);

struct LinkInfo {
  std::uint32_t index = 0, mtu = 0;
  bool up = false;
  std::string kind;
};
/// False if there is no link of that name in the socket's namespace.
bool findLink(Netlink& netlink, const std::string& name, const char* step, LinkInfo& link);

/// The default bridge: as it is, or (index 0) as it is to be made.
struct Bridge {
  std::uint32_t index = 0, mtu = 0;
  bool up = false, hasAddress = false;
  Subnet subnet;
};
/// Asks the kernel. The bridge's address is its subnet; without one, the first candidate that overlaps no
/// address or route of this namespace is chosen.
Bridge findBridge(Netlink& netlink);
/// Makes what is missing of it; sets `index`.
void ensureBridge(Netlink& netlink, Bridge& bridge);
/// Turns IPv4 forwarding on, if it is off.
void ensureForwarding();

/// Fills a RTM_NEWADDR message.
void addIpv4(NlMessage& message, std::uint32_t index, std::uint32_t address, const Subnet& subnet);
/// Adds to `batch` what brings a link up without an IPv6 address of its own: our networks are IPv4, and a
/// link-local address would be a way around them. The link is meant by `index`, or by name if that is 0.
void bringUp(std::vector<NlMessage>& batch, std::uint32_t index, const char* step, const std::string& name);
/// "Gone" is fine for both.
void removeLink(Netlink& netlink, const std::string& name);
void removeLinkGroup(Netlink& netlink);

}  // namespace tsrun
