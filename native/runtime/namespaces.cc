#include "runtime/namespaces.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/failure.h"
#include "runtime/join.h"
#include "runtime/steps.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace tsrun {
namespace {

struct Type {
  const char* name;
  int flag;
  const char* file;  ///< below /proc/self/ns
};
constexpr Type kTypes[] = {{"pid", CLONE_NEWPID, "pid"},    {"network", CLONE_NEWNET, "net"},
                           {"mount", CLONE_NEWNS, "mnt"},   {"ipc", CLONE_NEWIPC, "ipc"},
                           {"uts", CLONE_NEWUTS, "uts"},    {"cgroup", CLONE_NEWCGROUP, "cgroup"},
                           {"user", CLONE_NEWUSER, "user"}, {"time", CLONE_NEWTIME, "time"}};

pid_t clone3(unsigned long long flags, int cgroup, int* pidfd) {
  clone_args args{};
  args.flags = flags;
  if ((flags & CLONE_PARENT) == 0) args.exit_signal = SIGCHLD;
  if (pidfd != nullptr) {
    args.flags |= CLONE_PIDFD;
    args.pidfd = reinterpret_cast<std::uint64_t>(pidfd);
  }
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(cgroup);
  }
  return static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof args));
}

/// A file of procfs, which does not tell its size.
std::string readProc(const std::string& path) {
  UniqueFd file(check(open(path.c_str(), O_RDONLY | O_CLOEXEC), step::kUserNs, path));
  std::string text;
  char data[4096];
  for (;;) {
    const ssize_t got = check(read(file.get(), data, sizeof data), step::kUserNs, path);
    if (got == 0) return text;
    text.append(data, static_cast<std::size_t>(got));
  }
}

/// The maps of the user namespace `fd`, as we see its ids: read of a process that enters it for that.
IdMaps mapsOf(int fd, const std::string& path) {
  int ready[2];
  check(pipe2(ready, O_CLOEXEC), step::kUserNs, "pipe");
  UniqueFd readEnd(ready[0]), writeEnd(ready[1]);
  const pid_t pid = check(clone3(0, -1, nullptr), step::kUserNs, "clone");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int error = setns(fd, CLONE_NEWUSER) < 0 ? errno : 0;
    if (write(writeEnd.get(), &error, sizeof error) < 0) _exit(1);
    for (;;) pause();
  }
  int error = EIO;
  const bool told = read(readEnd.get(), &error, sizeof error) == sizeof error;
  IdMaps maps;
  if (told && error == 0) {
    const auto parse = [&](const char* name, IdMap& map) {
      const std::string text = readProc("/proc/" + std::to_string(pid) + "/" + name);
      for (const char* at = text.c_str(); *at != '\0';) {
        char* end;
        Spec::IdMapping one;
        one.containerID = static_cast<std::uint32_t>(std::strtoul(at, &end, 10));
        one.hostID = static_cast<std::uint32_t>(std::strtoul(end, &end, 10));
        one.size = static_cast<std::uint32_t>(std::strtoul(end, &end, 10));
        map.push_back(one);
        at = end + std::strspn(end, " \n");
      }
    };
    parse("uid_map", maps.uids);
    parse("gid_map", maps.gids);
  }
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
  if (error != 0) throw Failure(step::kUserNs, error, path);
  if (maps.uids.empty() || maps.gids.empty())
    throw Failure(step::kUserNs, EINVAL, path, "nothing is mapped in this user namespace");
  return maps;
}

bool isOwn(int fd, const char* name) {
  struct stat theirs, ours;
  return fstat(fd, &theirs) == 0 && stat((std::string("/proc/self/ns/") + name).c_str(), &ours) == 0 &&
         theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

/// What the process in between tells of itself.
struct Birth {
  pid_t pid = -1;
  int error = 0;
  char subject[200] = "";
};

}  // namespace

void becomeRootOfNamespace(Report& report) {
  const char* before = report.current();
  report.step(step::kUserNs);
  // The groups that we came with are the host's. Where they cannot be given up (one mapped id), they must
  // stay.
  if (syscall(SYS_setgroups, 0, nullptr) < 0 && errno != EPERM) report.die("setgroups");
  if (syscall(SYS_setresgid, 0, 0, 0) < 0) report.die("setgid", "the user namespace has no group 0");
  if (syscall(SYS_setresuid, 0, 0, 0) < 0) report.die("setuid", "the user namespace has no user 0");
  // Both are forgotten with the old user.
  if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) report.die("prctl");
  report.step(before);
}

Namespaces::Namespaces(const Spec& spec, const Launch::Join& join) {
  const auto running = [](const std::string& dir) {
    return RunningContainer(dir, readSpec(dir + "/config.json"));
  };
  joinedPid_ = join.pid;
  if (!join.pid.empty()) pids_ = running(join.pid).openNamespace("pid");
  if (!join.ipc.empty()) {
    const RunningContainer donor = running(join.ipc);
    existing_.push_back({donor.openNamespace("ipc"), join.ipc, CLONE_NEWIPC});
    mountsOfIpc_ = donor.openNamespace("mnt");
  }
  bool hasMount = false;
  for (std::size_t i = 0; i < spec.namespaces.size(); i++) {
    const Spec::Namespace& ns = spec.namespaces[i];
    for (std::size_t j = 0; j < i; j++)
      if (spec.namespaces[j].type == ns.type)
        throw Failure(step::kClone, EINVAL, ns.type, "the namespace is named twice");
    hasMount |= ns.type == "mount";
    add(ns, join);
  }
  if (!hasMount) throw Failure(step::kClone, EINVAL, "mount", "the container needs a mount namespace");
  if (isNew(CLONE_NEWUSER)) {
    maps_ = {spec.uidMappings, spec.gidMappings};
    checkIdMaps(maps_);
  } else if (!user_ && (!spec.uidMappings.empty() || !spec.gidMappings.empty())) {
    throw Failure(step::kUserNs, EINVAL, "uidMappings", "id mappings need a user namespace");
  }
  setOffsets(spec);
}

void Namespaces::add(const Spec::Namespace& ns, const Launch::Join& join) {
  const Type* found = nullptr;
  for (const Type& type : kTypes)
    if (ns.type == type.name) found = &type;
  if (found == nullptr) throw Failure(step::kClone, EINVAL, ns.type, "there is no such namespace");
  const std::string own = std::string("/proc/self/ns/") + found->file;
  if (access(own.c_str(), F_OK) < 0)
    throw Failure(step::kClone, ENOTSUP, ns.type, "this kernel does not have this namespace");
  if (!ns.path.empty()) return openExisting(ns, found->flag);
  const bool borrowed = (found->flag == CLONE_NEWPID && !join.pid.empty()) ||
                        (found->flag == CLONE_NEWIPC && !join.ipc.empty());
  if (borrowed) return;
  if (found->flag == CLONE_NEWCGROUP)
    newCgroup_ = true;
  else if (found->flag == CLONE_NEWTIME)
    newTime_ = true;
  else
    flags_ |= static_cast<unsigned long long>(found->flag);
}

void Namespaces::openExisting(const Spec::Namespace& ns, int type) {
  UniqueFd fd(open(ns.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) fail(step::kClone, ns.path);
  if (type == CLONE_NEWPID) {
    pids_ = std::move(fd);
  } else if (type == CLONE_NEWUSER) {
    if (isOwn(fd.get(), "user")) return;  // the kernel refuses to join what one is in
    maps_ = mapsOf(fd.get(), ns.path);
    user_ = std::move(fd);
  } else {
    // Its root would be exchanged for the container's, for everybody in there.
    if (type == CLONE_NEWNS && isOwn(fd.get(), "mnt"))
      throw Failure(step::kClone, EINVAL, ns.path,
                    "the container needs a mount namespace that is not the host's");
    existing_.push_back({std::move(fd), ns.path, type});
  }
}

void Namespaces::setOffsets(const Spec& spec) {
  for (const auto& [clock, offset] : spec.timeOffsets) {
    if (clock != "monotonic" && clock != "boottime")
      throw Failure(step::kTimeNs, EINVAL, clock, "only the clocks monotonic and boottime have an offset");
    if (!newTime_) throw Failure(step::kTimeNs, EINVAL, clock, "a time offset needs a new time namespace");
    offsets_ += clock + " " + std::to_string(offset.secs) + " " + std::to_string(offset.nanosecs) + "\n";
  }
}

pid_t Namespaces::clone(int cgroup, int* pidfd) {
  BornIn pids(pids_.get());
  const bool behind = user_ || (isNew(CLONE_NEWUSER) && !existing_.empty());
  const pid_t pid = behind ? cloneBehind(cgroup, pidfd) : clone3(flags_, cgroup, pidfd);
  const int error = errno;
  if (pid == 0) return pids.forget(), 0;
  pids.leave();
  // What the kernel says of a pid namespace whose first process has ended.
  if (pid < 0 && error == ENOMEM && !joinedPid_.empty()) throw notRunning(joinedPid_);
  if (pid < 0 && error == ENOMEM && pids_)
    throw Failure(step::kJoin, ESRCH, "pid", "the first process of the pid namespace has ended");
  if (pid < 0) throw Failure(step::kClone, error, "clone3");
  return pid;
}

/// Everything that is not the user namespace's own is joined with our rights, the user namespace last; what
/// belongs to it when we have no rights but in there, after it.
void Namespaces::joinAll(int& error, const char*& subject) {
  for (int round = 0; round < 2; round++) {
    for (Existing& ns : existing_) {
      if (ns.joined) continue;
      if (setns(ns.fd.get(), ns.type) == 0) {
        ns.joined = true;
      } else if (round == 1 || !user_ || errno != EPERM) {
        error = errno;
        subject = ns.path.c_str();
        return;
      }
    }
    if (round == 0 && user_ && setns(user_.get(), CLONE_NEWUSER) < 0) {
      error = errno;
      subject = "user";
      return;
    }
  }
}

pid_t Namespaces::cloneBehind(int cgroup, int* pidfd) {
  int sockets[2];
  check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), step::kClone, "socketpair");
  UniqueFd ours(sockets[0]), theirs(sockets[1]);
  const pid_t between = check(clone3(0, -1, nullptr), step::kClone, "clone3");
  if (between == 0) {
    prctl(PR_SET_DUMPABLE, 0);  // before anything of others' can see us (CVE-2016-9962)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Birth birth;
    const char* subject = "clone3";
    joinAll(birth.error, subject);
    if (birth.error == 0) {
      birth.pid = clone3(flags_ | CLONE_PARENT, cgroup, nullptr);
      if (birth.pid == 0) return 0;
      if (birth.pid < 0) birth.error = errno;
    }
    std::strncpy(birth.subject, subject, sizeof birth.subject - 1);
    if (send(theirs.get(), &birth, sizeof birth, MSG_NOSIGNAL) < 0) _exit(1);
    _exit(0);
  }
  theirs.reset();
  Birth birth;
  ssize_t got;
  do got = recv(ours.get(), &birth, sizeof birth, 0);
  while (got < 0 && errno == EINTR);
  while (waitpid(between, nullptr, 0) < 0 && errno == EINTR) continue;
  if (got != sizeof birth) throw Failure(step::kJoin, 0, "namespaces", "the process that joins them died");
  if (birth.error != 0) throw Failure(step::kJoin, birth.error, birth.subject);
  // Our own child, which nobody else can reap: the number is still its.
  *pidfd = static_cast<int>(syscall(SYS_pidfd_open, birth.pid, 0));
  return birth.pid;
}

void Namespaces::admit(pid_t pid) const {
  if (isNew(CLONE_NEWUSER)) writeIdMaps(pid, maps_);
}

void Namespaces::joinIpc(Report& report) const {
  for (const Existing& ns : existing_)
    if (ns.type == CLONE_NEWIPC && setns(ns.fd.get(), CLONE_NEWIPC) < 0) report.die(ns.path.c_str());
}

void Namespaces::join(Report& report) {
  for (Existing& ns : existing_) {
    report.step(step::kClone);
    if (!ns.joined && setns(ns.fd.get(), ns.type) < 0) report.die(ns.path.c_str());
    ns.fd.reset();
  }
}

void Namespaces::enterTimeNamespace(Report& report) const {
  if (!newTime_) return;
  report.step(step::kTimeNs);
  // A new one is that of the next child. Its clocks can be set as long as nobody is in it, and then we join
  // it.
  if (unshare(CLONE_NEWTIME) < 0) report.die("unshare");
  if (!offsets_.empty()) {
    UniqueFd file(open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC));
    if (!file || write(file.get(), offsets_.data(), offsets_.size()) < 0)
      report.die("timeOffsets", offsets_.c_str());
  }
  UniqueFd made(open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC));
  if (!made || setns(made.get(), CLONE_NEWTIME) < 0) report.die("setns");
}

void Namespaces::becomeRoot(Report& report) const {
  if (hasUser()) becomeRootOfNamespace(report);
}

void Namespaces::enterCgroupNamespace(Report& report) const {
  if (!newCgroup_) return;
  report.step(step::kCgroupNs);
  if (unshare(CLONE_NEWCGROUP) < 0) report.die("cgroup");
}

BornIn::BornIn(int fd) {
  if (fd < 0) return;
  own_.reset(check(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC), step::kJoin, "pid"));
  check(setns(fd, CLONE_NEWPID), step::kJoin, "pid");
}

/// After a failure, when the first error is the one that counts.
BornIn::~BornIn() {
  if (own_) setns(own_.get(), CLONE_NEWPID);
}

void BornIn::leave() {
  if (own_) check(setns(own_.get(), CLONE_NEWPID), step::kJoin, "pid");
  own_.reset();
}

}  // namespace tsrun
