#include "runtime/network_bridge.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/in6.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr std::uint32_t kDefaultMtu = 1500;
constexpr int kCandidatePrefix = 16;

constexpr std::uint32_t network(std::uint32_t a, std::uint32_t b) {
  return a << 24 | b << 16;
}
/// Private ranges, those first that few others use (Docker begins at 172.17, clouds like 172.31 and 10.0).
constexpr std::uint32_t kCandidates[] = {network(172, 30), network(172, 29), network(172, 28),
                                         network(10, 209), network(10, 210), network(10, 211),
                                         network(172, 31), network(10, 239)};

std::uint32_t readIpv4(std::string_view bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return ntohl(value);
}

Subnet subnetOf(std::uint32_t address, int prefixLen) {
  Subnet subnet;
  subnet.prefixLen = prefixLen;
  subnet.address = address & subnet.mask();
  subnet.gateway = address;
  return subnet;
}

/// What this namespace already reaches, and the device of its default route.
struct Surroundings {
  std::vector<Subnet> taken;
  std::uint32_t uplink = 0;
};

Surroundings lookAround(Netlink& netlink) {
  Surroundings found;
  NlMessage routes(RTM_GETROUTE, 0, step::kNetworkBridge, "routes");
  rtmsg routeFilter{};
  routeFilter.rtm_family = AF_INET;
  routes.header(routeFilter);
  netlink.dump(
      std::move(routes), [&] { found = {}; },
      [&](const NlReply& reply) {
        const auto route = reply.header<rtmsg>();
        if (route.rtm_family != AF_INET) return;
        if (route.rtm_dst_len == 0) {
          if (route.rtm_table == RT_TABLE_MAIN && found.uplink == 0) {
            found.uplink = reply.u32(sizeof(rtmsg), {RTA_OIF}).value_or(0);
          }
          return;
        }
        if (const auto to = reply.find(sizeof(rtmsg), {RTA_DST})) {
          found.taken.push_back(subnetOf(readIpv4(*to), route.rtm_dst_len));
        }
      });
  std::vector<Subnet> addresses;
  NlMessage request(RTM_GETADDR, 0, step::kNetworkBridge, "addresses");
  ifaddrmsg addressFilter{};
  addressFilter.ifa_family = AF_INET;
  request.header(addressFilter);
  netlink.dump(
      std::move(request), [&] { addresses.clear(); },
      [&](const NlReply& reply) {
        if (const auto local = reply.find(sizeof(ifaddrmsg), {IFA_LOCAL})) {
          addresses.push_back(subnetOf(readIpv4(*local), reply.header<ifaddrmsg>().ifa_prefixlen));
        }
      });
  found.taken.insert(found.taken.end(), addresses.begin(), addresses.end());
  return found;
}

Subnet chooseSubnet(const Surroundings& around) {
  for (const std::uint32_t candidate : kCandidates) {
    const Subnet subnet = subnetOf(candidate + 1, kCandidatePrefix);
    bool free = true;
    for (const Subnet& other : around.taken) free = free && !subnet.overlaps(other);
    if (free) return subnet;
  }
  throw Failure(step::kNetworkBridge, EADDRNOTAVAIL, kBridgeName,
                "every range it could use overlaps a route of this machine");
}

std::uint32_t mtuOf(Netlink& netlink, std::uint32_t index) {
  if (index == 0) return kDefaultMtu;
  NlMessage request(RTM_GETLINK, 0, step::kNetworkBridge, "device of the default route");
  ifinfomsg link{};
  link.ifi_index = static_cast<int>(index);
  request.header(link);
  std::uint32_t mtu = kDefaultMtu;
  netlink.get(std::move(request), ENODEV, [&](const NlReply& reply) {
    mtu = reply.u32(sizeof(ifinfomsg), {IFLA_MTU}).value_or(kDefaultMtu);
  });
  return mtu;
}

bool hasIpv6() {
  return access("/proc/sys/net/ipv6", F_OK) == 0;
}

void writeSysctl(const std::string& path, const char* value) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || write(file.get(), value, 1) != 1) fail(step::kNetworkBridge, path);
}

NlMessage linkChange(std::uint32_t index, unsigned flags, const char* step, const std::string& name) {
  NlMessage message(RTM_NEWLINK, 0, step, name);
  ifinfomsg link{};
  link.ifi_index = static_cast<int>(index);
  link.ifi_flags = link.ifi_change = flags;
  message.header(link);
  if (index == 0) message.text(IFLA_IFNAME, name);
  return message;
}

}  // namespace

MacAddress macOf(std::uint32_t address) {
  return {0x02,
          0x42,
          static_cast<std::uint8_t>(address >> 24),
          static_cast<std::uint8_t>(address >> 16),
          static_cast<std::uint8_t>(address >> 8),
          static_cast<std::uint8_t>(address)};
}

bool findLink(Netlink& netlink, const std::string& name, const char* step, LinkInfo& link) {
  NlMessage request(RTM_GETLINK, 0, step, name);
  request.header(ifinfomsg{}).text(IFLA_IFNAME, name);
  return netlink.get(std::move(request), ENODEV, [&](const NlReply& reply) {
    const auto fixed = reply.header<ifinfomsg>();
    link.index = static_cast<std::uint32_t>(fixed.ifi_index);
    link.up = (fixed.ifi_flags & IFF_UP) != 0;
    link.mtu = reply.u32(sizeof fixed, {IFLA_MTU}).value_or(kDefaultMtu);
    const auto kind = reply.find(sizeof fixed, {IFLA_LINKINFO, IFLA_INFO_KIND});
    link.kind = kind ? std::string(kind->substr(0, kind->find('\0'))) : "";
  });
}

Bridge findBridge(Netlink& netlink) {
  Bridge bridge;
  LinkInfo link;
  if (findLink(netlink, kBridgeName, step::kNetworkBridge, link)) {
    if (link.kind != "bridge") {
      throw Failure(step::kNetworkBridge, EEXIST, kBridgeName,
                    "a link of this name exists and is not a bridge");
    }
    bridge.index = link.index;
    bridge.mtu = link.mtu;
    bridge.up = link.up;
    NlMessage request(RTM_GETADDR, 0, step::kNetworkBridge, kBridgeName);
    ifaddrmsg filter{};
    filter.ifa_family = AF_INET;
    filter.ifa_index = bridge.index;
    request.header(filter);
    netlink.dump(
        std::move(request), [&] { bridge.hasAddress = false; },
        [&](const NlReply& reply) {
          const auto fixed = reply.header<ifaddrmsg>();
          const auto local = reply.find(sizeof fixed, {IFA_LOCAL});
          if (bridge.hasAddress || fixed.ifa_index != bridge.index || !local) return;
          bridge.hasAddress = true;
          bridge.subnet = subnetOf(readIpv4(*local), fixed.ifa_prefixlen);
        });
  }
  if (bridge.hasAddress && bridge.subnet.prefixLen <= 30) return bridge;
  const Surroundings around = lookAround(netlink);
  bridge.hasAddress = false;
  bridge.subnet = chooseSubnet(around);
  if (bridge.index == 0) bridge.mtu = mtuOf(netlink, around.uplink);
  return bridge;
}

void ensureBridge(Netlink& netlink, Bridge& bridge) {
  if (bridge.index == 0) {
    NlMessage make(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, step::kNetworkBridge, kBridgeName);
    const MacAddress mac = macOf(bridge.subnet.gateway);
    // An address of its own: without one it would take, and change to, the lowest of its ports'.
    make.header(ifinfomsg{})
        .text(IFLA_IFNAME, kBridgeName)
        .u32(IFLA_MTU, bridge.mtu)
        .u32(IFLA_GROUP, kLinkGroup);
    make.attribute(IFLA_ADDRESS, mac.data(), mac.size());
    make.nest(IFLA_LINKINFO, [](NlMessage& info) { info.text(IFLA_INFO_KIND, "bridge"); });
    std::vector<NlMessage> batch;
    batch.push_back(std::move(make));
    netlink.run(std::move(batch));
    LinkInfo link;
    if (!findLink(netlink, kBridgeName, step::kNetworkBridge, link)) {
      throw Failure(step::kNetworkBridge, ENODEV, kBridgeName);
    }
    bridge.index = link.index;
  }
  std::vector<NlMessage> batch;
  if (!bridge.hasAddress) {
    NlMessage address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, step::kNetworkBridge, bridge.subnet.text());
    addIpv4(address, bridge.index, bridge.subnet.gateway, bridge.subnet);
    batch.push_back(std::move(address));
  }
  if (!bridge.up) {
    // Before it goes up: a container must not be able to configure the host by router advertisements
    // (CVE-2020-13401).
    if (hasIpv6()) writeSysctl(std::string("/proc/sys/net/ipv6/conf/") + kBridgeName + "/accept_ra", "0");
    bringUp(batch, bridge.index, step::kNetworkBridge, kBridgeName);
  }
  netlink.run(std::move(batch));
}

void ensureForwarding() {
  constexpr char kPath[] = "/proc/sys/net/ipv4/ip_forward";
  UniqueFd file(::open(kPath, O_RDONLY | O_CLOEXEC));
  char value = 0;
  if (!file || read(file.get(), &value, 1) != 1) fail(step::kNetworkBridge, kPath);
  if (value == '0') writeSysctl(kPath, "1");
}

void addIpv4(NlMessage& message, std::uint32_t index, std::uint32_t address, const Subnet& subnet) {
  ifaddrmsg fixed{};
  fixed.ifa_family = AF_INET;
  fixed.ifa_prefixlen = static_cast<std::uint8_t>(subnet.prefixLen);
  fixed.ifa_index = index;
  message.header(fixed);
  message.u32(IFA_LOCAL, htonl(address)).u32(IFA_ADDRESS, htonl(address));
  message.u32(IFA_BROADCAST, htonl(subnet.address | ~subnet.mask()));
}

void bringUp(std::vector<NlMessage>& batch, std::uint32_t index, const char* step, const std::string& name) {
  if (hasIpv6()) {
    // A message of its own, before: within one the kernel would first bring the link up.
    NlMessage mode = linkChange(index, 0, step, name);
    mode.nest(IFLA_AF_SPEC, [](NlMessage& families) {
      families.nest(AF_INET6,
                    [](NlMessage& inet6) { inet6.u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE); });
    });
    batch.push_back(std::move(mode));
  }
  batch.push_back(linkChange(index, IFF_UP, step, name));
}

namespace {

void runRemoval(Netlink& netlink, NlMessage message) {
  std::vector<NlMessage> batch;
  batch.push_back(std::move(message));
  netlink.run(std::move(batch));
}

}  // namespace

void removeLink(Netlink& netlink, const std::string& name) {
  NlMessage message(RTM_DELLINK, 0, step::kNetworkRelease, name);
  message.header(ifinfomsg{}).text(IFLA_IFNAME, name).accept(ENODEV);
  runRemoval(netlink, std::move(message));
}

void removeLinkGroup(Netlink& netlink) {
  NlMessage message(RTM_DELLINK, 0, step::kNetworkRelease, kBridgeName);
  message.header(ifinfomsg{}).u32(IFLA_GROUP, kLinkGroup).accept(ENODEV);
  runRemoval(netlink, std::move(message));
}

}  // namespace tsrun
