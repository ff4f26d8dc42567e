#include "runtime/idmap.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

/// Overlap of [a, a + size) and [b, b + otherSize), which do not wrap.
bool overlap(std::uint64_t a, std::uint64_t size, std::uint64_t b, std::uint64_t otherSize) {
  return a < b + otherSize && b < a + size;
}

void checkIdMap(const IdMap& map, const char* what) {
  const auto refuse = [&](const char* why) { throw Failure(step::kUserNs, EINVAL, what, why); };
  constexpr std::uint64_t kNone = 0xffffffff;  // (uid_t)-1 is nobody's
  if (map.empty()) refuse("the user namespace needs a mapping");
  for (std::size_t i = 0; i < map.size(); i++) {
    const Spec::IdMapping& one = map[i];
    if (one.size == 0) refuse("a mapping of no ids");
    if (std::uint64_t{one.containerID} + one.size > kNone || std::uint64_t{one.hostID} + one.size > kNone)
      refuse("a mapping goes past the last id");
    for (std::size_t j = 0; j < i; j++)
      if (overlap(one.containerID, one.size, map[j].containerID, map[j].size) ||
          overlap(one.hostID, one.size, map[j].hostID, map[j].size))
        refuse("two mappings overlap");
  }
}

void writeProc(pid_t pid, const char* name, const std::string& text) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
  UniqueFd file(check(open(path.c_str(), O_WRONLY | O_CLOEXEC), step::kUserNs, path));
  // In one write: the kernel takes the whole map at once or none of it.
  if (write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) return;
  const int error = errno;
  throw Failure(step::kUserNs, error, name, text);
}

std::string textOf(const IdMap& map) {
  std::string text;
  for (const Spec::IdMapping& one : map)
    text += std::to_string(one.containerID) + " " + std::to_string(one.hostID) + " " +
            std::to_string(one.size) + "\n";
  return text;
}

bool isOwn(const IdMap& map, unsigned id) {
  return map.size() == 1 && map[0].size == 1 && map[0].hostID == id;
}

/// newuidmap or newgidmap: set-uid programs that know from /etc/subuid what an ordinary user may have.
void runMapper(const char* program, pid_t pid, const IdMap& map) {
  std::vector<std::string> args = {program, std::to_string(pid)};
  for (const Spec::IdMapping& one : map)
    for (const unsigned number : {one.containerID, one.hostID, one.size})
      args.push_back(std::to_string(number));
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  char* const noEnvironment[] = {nullptr};
  pid_t child = 0;
  int error = ENOENT;
  for (const char* directory : {"/usr/bin/", "/bin/", "/usr/local/bin/"}) {
    const std::string path = std::string(directory) + program;
    error = posix_spawn(&child, path.c_str(), nullptr, nullptr, argv.data(), noEnvironment);
    if (error != ENOENT) break;
  }
  if (error == ENOENT)
    throw Failure(step::kUserNs, ENOENT, program,
                  "is not installed: more than one id can be mapped only with it (Debian's package uidmap)");
  if (error != 0) throw Failure(step::kUserNs, error, program);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Failure(step::kUserNs, EPERM, program, "refused the mapping: " + textOf(map));
}

}  // namespace

std::optional<unsigned> hostIdOf(const IdMap& map, unsigned id) {
  for (const Spec::IdMapping& one : map)
    if (id >= one.containerID && id - one.containerID < one.size) return one.hostID + (id - one.containerID);
  return std::nullopt;
}

void checkIdMaps(const IdMaps& maps) {
  checkIdMap(maps.uids, "uidMappings");
  checkIdMap(maps.gids, "gidMappings");
}

void writeIdMaps(pid_t pid, const IdMaps& maps) {
  if (geteuid() == 0) {
    writeProc(pid, "uid_map", textOf(maps.uids));
    writeProc(pid, "gid_map", textOf(maps.gids));
    return;
  }
  if (isOwn(maps.uids, geteuid()))
    writeProc(pid, "uid_map", textOf(maps.uids));
  else
    runMapper("newuidmap", pid, maps.uids);
  if (isOwn(maps.gids, getegid())) {
    // First: whoever could drop a group of its own would get past what denies that group something.
    writeProc(pid, "setgroups", "deny");
    writeProc(pid, "gid_map", textOf(maps.gids));
  } else {
    runMapper("newgidmap", pid, maps.gids);
  }
}

UniqueFd makeUserNamespace(const IdMaps& maps) {
  checkIdMaps(maps);
  clone_args args{};
  args.flags = CLONE_NEWUSER;
  args.exit_signal = SIGCHLD;
  const pid_t pid = static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof args));
  check(pid, step::kUserNs, "clone");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  std::optional<Failure> failure;
  UniqueFd result;
  try {
    writeIdMaps(pid, maps);
    const std::string path = "/proc/" + std::to_string(pid) + "/ns/user";
    result.reset(check(open(path.c_str(), O_RDONLY | O_CLOEXEC), step::kUserNs, path));
  } catch (const Failure& caught) {
    failure = caught;
  }
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
  if (failure) throw *failure;
  return result;
}

}  // namespace tsrun
