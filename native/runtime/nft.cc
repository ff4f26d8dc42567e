#include "runtime/nft.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/netlink.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr char kTable[] = "tsrun";
/// Root's PATH is not asked: this runs with all rights.
constexpr const char* kNftPaths[] = {"/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft"};

/// The whole table. Its comment names version, bridge and subnet, so that one look tells whether it is the
/// right one.
struct Ruleset {
  std::string comment, script;
  size_t rules = 0;
};

Ruleset rulesetFor(const std::string& bridge, const std::string& subnet) {
  const std::string quoted = "\"" + bridge + "\"";
  Ruleset set;
  set.comment = "tsrun v1 " + bridge + " " + subnet;
  const auto rule = [&](const std::string& text) {
    ++set.rules;
    return "  " + text + "\n";
  };
  // Empty, delete, make: one transaction, so there is no moment without rules.
  set.script = "table inet tsrun\ndelete table inet tsrun\n";
  set.script += "table inet tsrun {\n comment \"" + set.comment + "\"\n";
  // A neighbour who routes the subnet to this host must not reach containers (or the gateway address)
  // directly. Replies to containers are not concerned: before conntrack undoes the masquerade they carry the
  // host's address. "lo" is the host speaking to its own gateway address. Bridged traffic shows the bridge as
  // its input, with br_netfilter too.
  set.script += " chain prerouting {\n  type filter hook prerouting priority raw; policy accept;\n";
  set.script += rule("iifname != { " + quoted + ", \"lo\" } ip daddr " + subnet + " drop");
  // The same fence where packets are routed: into the bridge go only replies to what containers began.
  set.script += " }\n chain forward {\n  type filter hook forward priority filter; policy accept;\n";
  set.script +=
      rule("iifname != " + quoted + " oifname " + quoted + " ct state != { established, related } drop");
  set.script += " }\n chain postrouting {\n  type nat hook postrouting priority srcnat; policy accept;\n";
  set.script += rule("ip saddr " + subnet + " oifname != { " + quoted + ", \"lo\" } masquerade");
  set.script += " }\n}\n";
  return set;
}

NlMessage nftMessage(int type) {
  NlMessage message(static_cast<std::uint16_t>((NFNL_SUBSYS_NFTABLES << 8) | type), 0, step::kNetworkNat,
                    "table inet tsrun");
  nfgenmsg family{};
  family.nfgen_family = NFPROTO_INET;
  family.version = NFNETLINK_V0;
  message.header(family);
  return message;
}

bool isPresent(const Ruleset& set) {
  Netlink netlink(NETLINK_NETFILTER);
  bool same = false;
  NlMessage table = nftMessage(NFT_MSG_GETTABLE);
  table.text(NFTA_TABLE_NAME, kTable);
  netlink.get(std::move(table), ENOENT, [&](const NlReply& reply) {
    const auto userData = reply.find(sizeof(nfgenmsg), {NFTA_TABLE_USERDATA});
    same = userData && userData->find(set.comment) != std::string_view::npos;
  });
  if (!same) return false;
  size_t count = 0;
  NlMessage rules = nftMessage(NFT_MSG_GETRULE);
  rules.text(NFTA_RULE_TABLE, kTable);
  netlink.dump(
      std::move(rules), [&] { count = 0; }, [&](const NlReply&) { ++count; });
  return count == set.rules;
}

struct SpawnSettings {
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

const char* findNft() {
  for (const char* path : kNftPaths) {
    if (access(path, X_OK) == 0) return path;
  }
  throw Failure(step::kNetworkNat, ENOENT, "nft",
                "nftables is not installed: apt-get install nftables, or use --network none");
}

pid_t spawnNft(const char* path, int input, int errors, int lockFd) {
  SpawnSettings settings;
  posix_spawn_file_actions_adddup2(&settings.actions, input, 0);
  posix_spawn_file_actions_addopen(&settings.actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&settings.actions, errors, 2);
  posix_spawn_file_actions_adddup2(&settings.actions, lockFd, 3);
  posix_spawn_file_actions_addclosefrom_np(&settings.actions, 4);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  posix_spawnattr_setsigdefault(&settings.attributes, &all);
  posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  char* const arguments[] = {const_cast<char*>("nft"), const_cast<char*>("-f"), const_cast<char*>("-"),
                             nullptr};
  char* const environment[] = {nullptr};
  pid_t pid;
  const int error = posix_spawn(&pid, path, &settings.actions, &settings.attributes, arguments, environment);
  if (error != 0) throw Failure(step::kNetworkNat, error, path);
  return pid;
}

std::string readAll(int fd) {
  std::string text;
  char buffer[1024];
  for (;;) {
    const ssize_t size = read(fd, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    if (text.size() < 4096) text.append(buffer, static_cast<size_t>(size));
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

void runNft(const std::string& script, int lockFd) {
  const char* const path = findNft();
  int input[2], errors[2];
  check(pipe2(input, O_CLOEXEC), step::kNetworkNat, "pipe");
  UniqueFd inputRead(input[0]), inputWrite(input[1]);
  check(pipe2(errors, O_CLOEXEC), step::kNetworkNat, "pipe");
  UniqueFd errorsRead(errors[0]), errorsWrite(errors[1]);
  // The script fits the pipe, so it is written before there is a reader that could go away (SIGPIPE).
  if (write(inputWrite.get(), script.data(), script.size()) != static_cast<ssize_t>(script.size())) {
    fail(step::kNetworkNat, "pipe");
  }
  inputWrite.reset();
  const pid_t pid = spawnNft(path, inputRead.get(), errorsWrite.get(), lockFd);
  inputRead.reset();
  errorsWrite.reset();
  const std::string complaint = readAll(errorsRead.get());
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) fail(step::kNetworkNat, path);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw Failure(step::kNetworkNat, 0, path, complaint);
}

}  // namespace

void ensureNat(const std::string& bridge, const std::string& subnet, int lockFd) {
  const Ruleset set = rulesetFor(bridge, subnet);
  if (!isPresent(set)) runNft(set.script, lockFd);
}

void removeNat() {
  NlMessage message = nftMessage(NFT_MSG_DELTABLE);
  message.text(NFTA_TABLE_NAME, kTable).accept(ENOENT);
  Netlink(NETLINK_NETFILTER).runNftBatch(std::move(message));
}

}  // namespace tsrun
