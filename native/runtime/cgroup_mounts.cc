#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "base/failure.h"
#include "runtime/cgroup_parts.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

/// mountinfo writes blank, tab, newline and backslash as three octal digits.
std::string unescape(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

/// Names of controllers and "name=…" of all v1 hierarchies, from /proc/self/cgroup ("7:cpu,cpuacct:/path").
std::vector<std::string> v1Names(const std::string& text) {
  std::vector<std::string> names;
  for (const std::string& line : split(text, '\n')) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    for (const std::string& name : split(line.substr(first + 1, second - first - 1), ','))
      names.push_back(name);
  }
  return names;
}

struct Candidate {
  CgroupMount mount;
  int rank = 0;
};

/// A mount point may be covered by a later mount: what is seen there must be a cgroup file system.
bool isVisible(const CgroupMount& mount) {
  struct statfs fs;
  if (statfs(mount.path.c_str(), &fs) != 0) return false;
  return fs.f_type == (mount.v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC);
}

std::optional<Candidate> parseLine(const std::string& line, const std::vector<std::string>& names) {
  const std::vector<std::string> fields = cgroupfs::words(line);
  size_t dash = 6;
  while (dash < fields.size() && fields[dash] != "-") ++dash;
  if (dash + 3 >= fields.size()) return std::nullopt;
  const std::string &type = fields[dash + 1], &root = fields[3];
  if (type != "cgroup" && type != "cgroup2") return std::nullopt;
  // "/.." is a mount made outside our cgroup namespace: it would lead out of what we were given.
  if (root.starts_with("/..")) return std::nullopt;
  Candidate found;
  found.mount.path = unescape(fields[4]);
  found.mount.v2 = type == "cgroup2";
  if (!found.mount.v2) {
    for (const std::string& option : split(fields[dash + 3], ',')) {
      if (cgroupfs::contains(names, option)) found.mount.controllers.push_back(option);
    }
    if (found.mount.controllers.empty()) return std::nullopt;
  }
  if (!isVisible(found.mount)) return std::nullopt;
  if (found.mount.v2) {
    found.mount.controllers =
        cgroupfs::words(cgroupfs::read(found.mount.path + "/cgroup.controllers").value_or(""));
  }
  const bool writable = fields[5] == "rw" || fields[5].starts_with("rw,");
  found.rank = (writable ? 2 : 0) + (root == "/" ? 1 : 0);
  return found;
}

}  // namespace

std::vector<CgroupMount> findCgroupMounts() {
  const auto mountinfo = cgroupfs::read("/proc/self/mountinfo");
  const auto own = cgroupfs::read("/proc/self/cgroup");
  if (!mountinfo || !own) throw Failure(step::kCgroupCreate, errno, "/proc/self/mountinfo");
  const std::vector<std::string> names = v1Names(*own);
  // A hierarchy can be mounted at several places: the writable one that shows its root is best.
  std::vector<Candidate> best;
  for (const std::string& line : split(*mountinfo, '\n')) {
    auto candidate = parseLine(line, names);
    if (!candidate) continue;
    bool known = false;
    for (Candidate& other : best) {
      if (other.mount.v2 != candidate->mount.v2) continue;
      if (!other.mount.v2 && other.mount.controllers != candidate->mount.controllers) continue;
      known = true;
      if (candidate->rank > other.rank) other = *candidate;
    }
    if (!known) best.push_back(*candidate);
  }
  std::vector<CgroupMount> mounts;
  for (Candidate& candidate : best) mounts.push_back(std::move(candidate.mount));
  return mounts;
}

namespace cgroupfs {

std::optional<std::string> read(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return std::nullopt;
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;  // ENODEV: the cgroup was removed meanwhile
    if (n == 0) return text;
    text.append(buffer, static_cast<size_t>(n));
  }
}

void write(const char* step, const std::string& path, std::string_view value) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file || ::write(file.get(), value.data(), value.size()) < 0) {
    const int error = errno;
    throw Failure(step, error, path, "writing \"" + std::string(value) + "\"");
  }
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  std::istringstream stream{std::string(text)};
  for (std::string word; stream >> word;) out.push_back(word);
  return out;
}

bool contains(const std::vector<std::string>& list, std::string_view word) {
  for (const std::string& item : list) {
    if (item == word) return true;
  }
  return false;
}

std::string checkedPath(const std::string& path) {
  std::string clean;
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..")
      throw Failure(step::kCgroupCreate, EINVAL, path, "a cgroup path must not contain \"..\"");
    clean += "/" + part;
  }
  if (clean.empty())
    throw Failure(step::kCgroupCreate, EINVAL, path, "the container needs a cgroup path of its own");
  return clean;
}

}  // namespace cgroupfs
}  // namespace tsrun
