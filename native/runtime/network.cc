#include "runtime/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "base/failure.h"
#include "runtime/lease.h"
#include "runtime/netlink.h"
#include "runtime/network_bridge.h"
#include "runtime/nft.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr char kInside[] = "eth0";
constexpr unsigned kLoopbackIndex = 1;  // of every network namespace

/// Makes a netlink socket that belongs to another network namespace: the thread goes there and comes back.
/// The socket stays bound to where it was made.
Netlink socketIn(int networkNamespace, const char* step) {
  UniqueFd own(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!own) fail(step, "/proc/self/ns/net");
  check(setns(networkNamespace, CLONE_NEWNET), step, "the container's network namespace");
  std::optional<Netlink> socket;
  std::exception_ptr failure;
  try {
    socket.emplace(NETLINK_ROUTE);
  } catch (...) {
    failure = std::current_exception();
  }
  check(setns(own.get(), CLONE_NEWNET), step, "/proc/self/ns/net");
  if (failure) std::rethrow_exception(failure);
  return std::move(*socket);
}

UniqueFd networkNamespaceOf(int pid, const char* step) {
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/net";
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) fail(step, path);
  return fd;
}

NlMessage loopbackUp() {
  NlMessage message(RTM_NEWLINK, 0, step::kNetworkAddress, "lo");
  ifinfomsg link{};
  link.ifi_index = kLoopbackIndex;
  link.ifi_flags = link.ifi_change = IFF_UP;
  message.header(link);
  return message;
}

/// Unique per container of a store, and within the 15 bytes of an interface name.
std::string hostName(const Launch& launch) {
  return "ts" + launch.storeTag.substr(0, 4) + launch.id.substr(0, 8);
}

/// Both ends, down: the outer one a port of the bridge, the inner one born in the container's namespace.
void makeVeth(Netlink& host, const std::string& name, const Bridge& bridge, const MacAddress& mac,
              int childNs) {
  NlMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, step::kNetworkVeth, name);
  message.header(ifinfomsg{});
  message.text(IFLA_IFNAME, name)
      .u32(IFLA_MTU, bridge.mtu)
      .u32(IFLA_MASTER, bridge.index)
      .u32(IFLA_GROUP, kLinkGroup);
  message.nest(IFLA_LINKINFO, [&](NlMessage& info) {
    info.text(IFLA_INFO_KIND, "veth");
    info.nest(IFLA_INFO_DATA, [&](NlMessage& data) {
      data.nest(VETH_INFO_PEER, [&](NlMessage& peer) {
        peer.header(ifinfomsg{});
        peer.text(IFLA_IFNAME, kInside).u32(IFLA_MTU, bridge.mtu);
        peer.attribute(IFLA_ADDRESS, mac.data(), mac.size());
        peer.u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(childNs));
      });
    });
  });
  std::vector<NlMessage> batch;
  batch.push_back(std::move(message));
  host.run(std::move(batch));
}

void configureInside(Netlink& inside, std::uint32_t address, const Subnet& subnet) {
  LinkInfo eth0;
  if (!findLink(inside, kInside, step::kNetworkAddress, eth0))
    throw Failure(step::kNetworkAddress, ENODEV, kInside);

  NlMessage addAddress(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, step::kNetworkAddress, ipText(address));
  addIpv4(addAddress, eth0.index, address, subnet);

  NlMessage route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, step::kNetworkAddress,
                  "default via " + ipText(subnet.gateway));
  rtmsg fixed{};
  fixed.rtm_family = AF_INET;
  fixed.rtm_table = RT_TABLE_MAIN;
  fixed.rtm_protocol = RTPROT_BOOT;
  fixed.rtm_scope = RT_SCOPE_UNIVERSE;
  fixed.rtm_type = RTN_UNICAST;
  route.header(fixed).u32(RTA_GATEWAY, htonl(subnet.gateway)).u32(RTA_OIF, eth0.index);

  std::vector<NlMessage> batch;
  batch.push_back(loopbackUp());
  bringUp(batch, eth0.index, step::kNetworkAddress, kInside);
  batch.push_back(std::move(addAddress));
  batch.push_back(std::move(route));
  inside.run(std::move(batch));
}

std::string macText(const MacAddress& mac) {
  char text[18];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                mac[5]);
  return text;
}

Lease connectBridge(const Launch& launch, int pid, Ledger& ledger) {
  const UniqueFd childNs = networkNamespaceOf(pid, step::kNetworkVeth);
  const std::string outside = hostName(launch);
  Netlink host(NETLINK_ROUTE);
  LinkInfo existing;
  if (findLink(host, outside, step::kNetworkVeth, existing)) {
    // Before it is recorded, so that the releaser does not delete a link that is another container's.
    throw Failure(step::kNetworkVeth, EEXIST, outside, "a link of this name exists");
  }
  // Recorded before the lease and so released after it: the last lease takes all links away by one request.
  ledger.own("veth", outside);
  NetworkState::Taken taken;
  Bridge bridge;
  {
    // Bridge, rules and address are settled under one lock. The lease is recorded and taken before the bridge
    // is made: so whatever dies from here on, the lease's releaser finds bridge and rules unused and removes
    // them.
    NetworkState state = NetworkState::lock();
    bridge = findBridge(host);
    taken = state.take(bridge.subnet, launch.id.substr(0, 12), ledger);
    ensureBridge(host, bridge);
    ensureForwarding();
    ensureNat(kBridgeName, bridge.subnet.text(), state.lockFd());
  }
  // The lease keeps the bridge alive: no lock is needed for the rest.
  const MacAddress mac = macOf(taken.address);
  makeVeth(host, outside, bridge, mac, childNs.get());
  Netlink inside = socketIn(childNs.get(), step::kNetworkAddress);
  configureInside(inside, taken.address, bridge.subnet);
  // Last, so that the bridge sees a port with a carrier and forwards at once.
  std::vector<NlMessage> batch;
  bringUp(batch, 0, step::kNetworkVeth, outside);
  host.run(std::move(batch));

  Lease lease;
  lease.ip = ipText(taken.address);
  lease.gateway = ipText(bridge.subnet.gateway);
  lease.mac = macText(mac);
  lease.bridge = kBridgeName;
  lease.prefixLen = bridge.subnet.prefixLen;
  lease.path = taken.path;
  lease.lock = std::move(taken.lock);
  return lease;
}

}  // namespace

std::optional<Lease> connectNetwork(const Launch& launch, int pid, Ledger& ledger) {
  if (launch.network.mode == "host") return std::nullopt;
  if (launch.network.mode == "bridge") return connectBridge(launch, pid, ledger);
  if (launch.network.mode != "none")
    throw Failure(step::kHelperConfig, EINVAL, launch.network.mode, "network mode");
  Netlink inside = socketIn(networkNamespaceOf(pid, step::kNetworkAddress).get(), step::kNetworkAddress);
  std::vector<NlMessage> batch;
  batch.push_back(loopbackUp());
  inside.run(std::move(batch));
  return std::nullopt;
}

void releaseVeth(const std::string& name) {
  Netlink host(NETLINK_ROUTE);
  removeLink(host, name);
}

void releaseLease(const std::string& subject) {
  const size_t hash = subject.rfind('#');
  const std::string path = subject.substr(0, hash);
  const std::string token = hash == std::string::npos ? "" : subject.substr(hash + 1);
  auto state = NetworkState::lockOf(path);
  if (!state) return;
  state->drop(path, token);
  if (state->inUse()) return;
  // Called from another network namespace, the links there cannot be reached: they stay until its next
  // container ends.
  if (state->isCurrent()) {
    Netlink host(NETLINK_ROUTE);
    removeLinkGroup(host);
    removeNat();
  }
  state->remove();
}

}  // namespace tsrun
