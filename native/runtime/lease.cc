#include "runtime/lease.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <set>
#include <vector>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr char kRoot[] = "/run/tsrun/net";

std::string readSmall(int fd) {
  char buffer[128];
  const ssize_t size = pread(fd, buffer, sizeof buffer, 0);
  return size > 0 ? std::string(buffer, static_cast<size_t>(size)) : std::string();
}

std::string readSmallFile(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return file ? readSmall(file.get()) : std::string();
}

void rewrite(int fd, const std::string& text, const std::string& path) {
  if (pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ftruncate(fd, static_cast<off_t>(text.size())) != 0) {
    fail(step::kNetworkLease, path);
  }
}

/// One OFD write lock over the whole file; false if another open file description has it and `wait` is false.
bool lockFile(int fd, bool wait, const std::string& path) {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  while (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &range) != 0) {
    if (errno == EINTR) continue;
    if (!wait && (errno == EAGAIN || errno == EACCES)) return false;
    fail(step::kNetworkLease, path);
  }
  return true;
}

bool isHeld(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return false;
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return fcntl(file.get(), F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

std::vector<std::string> namesIn(const std::string& dir) {
  std::vector<std::string> names;
  DIR* stream = opendir(dir.c_str());
  if (stream == nullptr) return names;
  while (const dirent* entry = readdir(stream)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  closedir(stream);
  return names;
}

std::string currentBoot() {
  const std::string id = readSmallFile("/proc/sys/kernel/random/boot_id");
  if (id.size() < 8) throw Failure(step::kNetworkLease, errno, "/proc/sys/kernel/random/boot_id");
  return id.substr(0, 8);
}

std::string currentDirectory() {
  struct stat ns;
  check(stat("/proc/self/ns/net", &ns), step::kNetworkLease, "/proc/self/ns/net");
  return std::string(kRoot) + "/" + currentBoot() + "-" + std::to_string(ns.st_ino);
}

void makePrivateDirectory(const std::string& path) {
  // ENOENT: somebody removed a parent that was empty; the caller begins again.
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST && errno != ENOENT) fail(step::kNetworkLease, path);
}

std::optional<std::uint32_t> parseIp(const std::string& text) {
  in_addr address;
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

std::string randomToken() {
  unsigned char bytes[8];
  check(getrandom(bytes, sizeof bytes, 0), step::kNetworkLease, "getrandom");
  std::string text;
  for (const unsigned char byte : bytes) {
    char hex[3];
    std::snprintf(hex, sizeof hex, "%02x", byte);
    text += hex;
  }
  return text;
}

/// The first address after `last` (wrapping) that `free` says is free.
template <typename Free>
std::optional<std::uint32_t> nextFree(const Subnet& subnet, std::uint32_t last, const Free& free) {
  const std::uint32_t hosts = ~subnet.mask() - 1;  // without network and broadcast
  const std::uint32_t begin =
      last > subnet.address && last - subnet.address <= hosts ? last - subnet.address : 0;
  for (std::uint32_t i = 0; i < hosts; ++i) {
    const std::uint32_t address = subnet.address + 1 + (begin + i) % hosts;
    if (address != subnet.gateway && free(address)) return address;
  }
  return std::nullopt;
}

}  // namespace

std::string ipText(std::uint32_t address) {
  const in_addr network{htonl(address)};
  char text[INET_ADDRSTRLEN];
  return inet_ntop(AF_INET, &network, text, sizeof text);
}

std::string Subnet::text() const {
  return ipText(address) + "/" + std::to_string(prefixLen);
}

std::optional<NetworkState> NetworkState::tryLock(const std::string& dir, bool create, bool wait) {
  const std::string path = dir + "/lock";
  for (;;) {
    bool isNew = false;
    if (create) {
      makePrivateDirectory("/run/tsrun");
      makePrivateDirectory(kRoot);
      isNew = mkdir(dir.c_str(), 0700) == 0;
      if (!isNew && errno != EEXIST && errno != ENOENT) fail(step::kNetworkLease, dir);
    }
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600));
    if (!file && errno == ENOENT) {
      if (create) continue;
      return std::nullopt;
    }
    if (!file) fail(step::kNetworkLease, path);
    if (!lockFile(file.get(), wait, path)) return std::nullopt;
    // The holder we waited for may have removed the file: then the lock that counts is on another one.
    struct stat mine, named;
    check(fstat(file.get(), &mine), step::kNetworkLease, path);
    if (stat(path.c_str(), &named) != 0 || named.st_ino != mine.st_ino || named.st_dev != mine.st_dev)
      continue;
    if (isNew) sweep(dir);
    return NetworkState(dir, std::move(file));
  }
}

NetworkState NetworkState::lock() {
  return std::move(*tryLock(currentDirectory(), true, true));
}

std::optional<NetworkState> NetworkState::lockOf(const std::string& leasePath) {
  const size_t leases = leasePath.rfind("/leases/");
  if (!leasePath.starts_with(std::string(kRoot) + "/") || leases == std::string::npos) {
    throw Failure(step::kNetworkRelease, EINVAL, leasePath, "not a lease of tsrun");
  }
  return tryLock(leasePath.substr(0, leases), false, true);
}

void NetworkState::sweep(const std::string& current) {
  const std::string boot = currentBoot();
  for (const std::string& name : namesIn(kRoot)) {
    const std::string dir = std::string(kRoot) + "/" + name;
    if (dir == current) continue;
    // Of this boot, a lease file without a monitor still waits for its container's recovery.
    if (name.starts_with(boot + "-") && !namesIn(dir + "/leases").empty()) continue;
    if (auto state = tryLock(dir, false, false)) {
      if (!state->inUse()) state->remove();
    } else {
      // Without a lock file nobody is in it yet; whoever is about to be makes it again.
      rmdir(dir.c_str());
    }
  }
}

NetworkState::Taken NetworkState::take(const Subnet& subnet, const std::string& owner, Ledger& ledger) {
  const std::string leases = dir_ + "/leases", nextPath = dir_ + "/next";
  makePrivateDirectory(leases);
  std::set<std::uint32_t> present;
  for (const std::string& name : namesIn(leases)) {
    if (const auto address = parseIp(name)) present.insert(*address);
  }
  const std::uint32_t last = parseIp(readSmallFile(nextPath)).value_or(0);
  auto address =
      nextFree(subnet, last, [&](std::uint32_t candidate) { return !present.contains(candidate); });
  if (!address) {
    // All are named: one whose monitor died without being recovered is free as well.
    address = nextFree(subnet, last,
                       [&](std::uint32_t candidate) { return !isHeld(leases + "/" + ipText(candidate)); });
  }
  if (!address)
    throw Failure(step::kNetworkLease, EADDRNOTAVAIL, subnet.text(), "no free address in the network");

  Taken taken;
  taken.address = *address;
  taken.path = leases + "/" + ipText(*address);
  const std::string token = owner + "-" + randomToken();
  taken.subject = taken.path + "#" + token;
  ledger.own("lease", taken.subject);
  taken.lock.reset(::open(taken.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!taken.lock) fail(step::kNetworkLease, taken.path);
  if (!lockFile(taken.lock.get(), false, taken.path))
    throw Failure(step::kNetworkLease, EADDRINUSE, taken.path);
  rewrite(taken.lock.get(), token, taken.path);
  UniqueFd next(::open(nextPath.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!next) fail(step::kNetworkLease, nextPath);
  rewrite(next.get(), ipText(*address), nextPath);
  return taken;
}

void NetworkState::drop(const std::string& leasePath, const std::string& token) {
  UniqueFd file(::open(leasePath.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file) {
    if (errno == ENOENT) return;
    fail(step::kNetworkRelease, leasePath);
  }
  const std::string owner = readSmall(file.get());
  // Somebody else's by now: our monitor died, and its address was given again. Without a token and lock it is
  // nobody's: its maker died between creating and writing it.
  if (owner != token && !(owner.empty() && !isHeld(leasePath))) return;
  if (unlink(leasePath.c_str()) != 0 && errno != ENOENT) fail(step::kNetworkRelease, leasePath);
}

bool NetworkState::inUse() const {
  for (const std::string& name : namesIn(dir_ + "/leases")) {
    if (isHeld(dir_ + "/leases/" + name)) return true;
  }
  return false;
}

bool NetworkState::isCurrent() const {
  return dir_ == currentDirectory();
}

void NetworkState::remove() {
  const std::string leases = dir_ + "/leases";
  for (const std::string& name : namesIn(leases)) unlink((leases + "/" + name).c_str());
  rmdir(leases.c_str());
  unlink((dir_ + "/next").c_str());
  // From here on another process may make a new lock: nothing below may disturb it, and rmdir does not.
  unlink((dir_ + "/lock").c_str());
  rmdir(dir_.c_str());
  rmdir(kRoot);
  rmdir("/run/tsrun");
}

}  // namespace tsrun
