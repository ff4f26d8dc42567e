/// What happens to the processes of a cgroup: freeze, kill, wait until they are gone; and its removal.
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/failure.h"
#include "runtime/cgroup_parts.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

using cgroupfs::exists, cgroupfs::read, cgroupfs::words, cgroupfs::write;

constexpr int kKillDeadline = 10000, kFreezeDeadline = 10000, kRemoveDeadline = 5000;  // milliseconds

long long now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/// Grows from 1 ms to 64 ms: for states that the kernel does not announce.
class BackOff {
 public:
  explicit BackOff(int milliseconds) : end_(now() + milliseconds) {}
  /// False when the time is over.
  bool wait() {
    if (now() >= end_) return false;
    const timespec pause{0, pause_ * 1000000L};
    nanosleep(&pause, nullptr);
    pause_ = std::min(pause_ * 2, 64);
    return true;
  }

 private:
  long long end_;
  int pause_ = 1;
};

/// Value of `key` in a file of "key value" lines; -1 if the file or the line is missing.
long long valueOf(const std::string& path, std::string_view key) {
  const auto text = read(path);
  if (!text) return -1;
  const std::vector<std::string> all = words(*text);
  for (size_t i = 0; i + 1 < all.size(); i += 2) {
    if (all[i] == key) return std::stoll(all[i + 1]);
  }
  return -1;
}

/// Directories directly below `dir`.
std::vector<std::string> childrenOf(const std::string& dir) {
  std::vector<std::string> names;
  DIR* stream = opendir(dir.c_str());
  if (stream == nullptr) return names;
  while (const dirent* entry = readdir(stream)) {
    if (entry->d_type != DT_DIR || std::strcmp(entry->d_name, ".") == 0 ||
        std::strcmp(entry->d_name, "..") == 0)
      continue;
    names.push_back(dir + "/" + entry->d_name);
  }
  closedir(stream);
  return names;
}

/// Sends SIGKILL to each process at and below `dir`; true if there was any.
bool killOnce(const std::string& dir) {
  bool any = false;
  for (const std::string& word : words(read(dir + "/cgroup.procs").value_or(""))) {
    const int pid = std::stoi(word);  // 0 = a process that our pid namespace does not show
    if (pid > 0) ::kill(pid, SIGKILL);
    any = true;
  }
  for (const std::string& child : childrenOf(dir)) any = killOnce(child) || any;
  return any;
}

void collectPids(const std::string& dir, std::vector<int>& pids) {
  for (const std::string& word : words(read(dir + "/cgroup.procs").value_or(""))) {
    const int pid = std::stoi(word);
    if (pid > 0) pids.push_back(pid);
  }
  for (const std::string& child : childrenOf(dir)) collectPids(child, pids);
}

/// Waits until `key` in cgroup.events is `value`: the kernel announces it as POLLPRI.
bool waitEvent(const std::string& dir, const char* key, long long value, int milliseconds) {
  const std::string path = dir + "/cgroup.events";
  const long long end = now() + milliseconds;
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  for (;;) {
    if (!file) return true;  // gone, and so are its processes
    char buffer[256];
    // This read is what poll compares with; the value is taken afterwards, so that no change is lost between
    // the two.
    [[maybe_unused]] const ssize_t ignored = pread(file.get(), buffer, sizeof buffer, 0);
    const long long current = valueOf(path, key);
    if (current == value || current < 0) return true;
    const long long left = end - now();
    if (left <= 0) return false;
    pollfd wait{file.get(), POLLPRI, 0};
    // The bound on one wait is for kernels that lose the event of a nested cgroup.
    poll(&wait, 1, static_cast<int>(std::min<long long>(left, 100)));
  }
}

void removeTreeOf(const std::string& dir) {
  BackOff backOff(kRemoveDeadline);
  for (;;) {
    if (::rmdir(dir.c_str()) == 0 || errno == ENOENT || errno == ENODEV) return;
    if (errno != EBUSY && errno != ENOTEMPTY) fail(step::kCgroupRelease, dir);
    // It has children (a container that runs cgroups of its own), or a task that is not quite dead.
    for (const std::string& child : childrenOf(dir)) removeTreeOf(child);
    if (::rmdir(dir.c_str()) == 0 || errno == ENOENT || errno == ENODEV) return;
    if (!backOff.wait()) throw Failure(step::kCgroupRelease, EBUSY, dir, "the cgroup could not be removed");
  }
}

/// No process at or below `dir`. True as well when it is gone.
bool isEmpty(const std::string& dir) {
  if (exists(dir + "/cgroup.events")) return valueOf(dir + "/cgroup.events", "populated") <= 0;
  if (!words(read(dir + "/cgroup.procs").value_or("")).empty()) return false;
  for (const std::string& child : childrenOf(dir)) {
    if (!isEmpty(child)) return false;
  }
  return true;
}

/// False if that did not come true in time.
bool waitEmpty(const std::string& dir, int milliseconds) {
  if (exists(dir + "/cgroup.events")) return waitEvent(dir, "populated", 0, milliseconds);
  BackOff backOff(milliseconds);
  while (!isEmpty(dir)) {
    if (!backOff.wait()) return false;
  }
  return true;
}

void setFrozenV1(const std::string& dir, bool frozen) {
  const std::string file = dir + "/freezer.state";
  const char* const state = frozen ? "FROZEN" : "THAWED";
  BackOff backOff(kFreezeDeadline);
  do {
    // Written again each time: a task that forks meanwhile keeps the state at FREEZING.
    write(step::kCgroupFreeze, file, state);
    if (words(read(file).value_or(state)) == std::vector<std::string>{state}) return;
  } while (backOff.wait());
  throw Failure(step::kCgroupFreeze, EBUSY, dir, "its processes could not be frozen");
}

void setFrozenV2(const std::string& dir, bool frozen) {
  write(step::kCgroupFreeze, dir + "/cgroup.freeze", frozen ? "1" : "0");
  if (!waitEvent(dir, "frozen", frozen ? 1 : 0, kFreezeDeadline)) {
    throw Failure(step::kCgroupFreeze, EBUSY, dir, "its processes could not be frozen");
  }
}

/// SIGKILL to everything at and below `dir`; `freezer` is the v1 freezer's directory, or empty.
void killTree(const std::string& dir, const std::string& freezer) {
  if (exists(dir + "/cgroup.kill")) {
    write(step::kCgroupRelease, dir + "/cgroup.kill", "1");
  } else {
    // Frozen, they cannot fork away from under the loop; the signal acts when they thaw.
    BackOff backOff(kKillDeadline);
    do {
      if (!freezer.empty()) setFrozenV1(freezer, true);
      const bool any = killOnce(dir);
      if (!freezer.empty()) setFrozenV1(freezer, false);
      if (!any) return;
    } while (backOff.wait());
  }
  if (!waitEmpty(dir, kKillDeadline))
    throw Failure(step::kCgroupRelease, EBUSY, dir, "its processes do not die");
}

}  // namespace

long long cgroupfs::oomKills(const std::string& dir) {
  // v2 counts for the whole subtree; v1 for each cgroup alone.
  const long long v2 = valueOf(dir + "/memory.events", "oom_kill");
  if (v2 >= 0) return v2;
  long long sum = std::max(valueOf(dir + "/memory.oom_control", "oom_kill"), 0LL);
  for (const std::string& child : childrenOf(dir)) sum += oomKills(child);
  return sum;
}

void Cgroup::freeze(bool frozen) const {
  if (!v2Dir_.empty() && exists(v2Dir_ + "/cgroup.freeze")) {
    setFrozenV2(v2Dir_, frozen);
    return;
  }
  const std::string freezer = v1Freezer();
  if (freezer.empty())
    throw Failure(step::kCgroupFreeze, EOPNOTSUPP, "freezer", "no cgroup here can be frozen");
  setFrozenV1(freezer, frozen);
}

bool Cgroup::isFrozen() const {
  // Either of the two freezers of a hybrid machine may have been used.
  if (!v2Dir_.empty() && words(read(v2Dir_ + "/cgroup.freeze").value_or("")) == std::vector<std::string>{"1"})
    return true;
  const std::string freezer = v1Freezer();
  if (freezer.empty()) return false;
  const auto state = words(read(freezer + "/freezer.state").value_or("THAWED"));
  return !state.empty() && state[0] != "THAWED";
}

std::vector<int> Cgroup::pids() const {
  std::vector<int> result;
  if (dirs_.empty()) return result;
  collectPids(v2Dir_.empty() ? dirs_.front() : v2Dir_, result);
  std::ranges::sort(result);
  return result;
}

void Cgroup::signalAll(int number) const {
  int error = 0;
  for (const int pid : pids())
    if (::kill(pid, number) != 0 && errno != ESRCH && error == 0) error = errno;
  if (error != 0) throw Failure("signal", error, std::to_string(number));
}

void Cgroup::killAll() const {
  if (dirs_.empty()) return;
  killTree(v2Dir_.empty() ? dirs_.front() : v2Dir_, v1Freezer());
}

void releaseCgroup(const std::string& relativePath) {
  const std::string path = cgroupfs::checkedPath(relativePath);
  const Cgroup group = Cgroup::open(path);
  group.killAll();
  const bool ownParents = path.starts_with("/tsrun/");
  for (const CgroupMount& mount : findCgroupMounts()) {
    removeTreeOf(mount.path + path);
    if (!ownParents) continue;
    // Not empty, or taken again by a container that starts right now: then it stays.
    for (std::string parent = path; (parent = parent.substr(0, parent.rfind('/'))) != "";) {
      if (::rmdir((mount.path + parent).c_str()) != 0) break;
    }
  }
}

}  // namespace tsrun
