#include "runtime/seccomp_listener.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/clock.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr long long kDeadlineMs = 10000;

/// The number that the listener has in the process; -1 as long as there is none. The process cannot be asked:
/// what it would answer by may be what it waits for an answer to.
int numberOf(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/fd";
  DIR* entries = opendir(directory.c_str());
  if (entries == nullptr) return -1;
  int found = -1;
  while (const dirent* entry = readdir(entries)) {
    char target[64];
    const ssize_t length = readlinkat(dirfd(entries), entry->d_name, target, sizeof target);
    if (length > 0 &&
        std::string_view(target, static_cast<std::size_t>(length)) == "anon_inode:seccomp notify")
      found = std::atoi(entry->d_name);
  }
  closedir(entries);
  return found;
}

UniqueFd takeFrom(pid_t pid, int pidfd) {
  const long long end = monotonicMs() + kDeadlineMs;
  pollfd ended{pidfd, POLLIN, 0};
  for (;;) {
    const int number = numberOf(pid);
    if (number >= 0) {
      UniqueFd listener(static_cast<int>(syscall(SYS_pidfd_getfd, pidfd, number, 0)));
      if (!listener) fail(step::kSeccomp, "pidfd_getfd");
      return listener;
    }
    if (monotonicMs() >= end || poll(&ended, 1, 1) != 0)
      throw Failure(step::kSeccomp, ESRCH, "listener", "the process has no filter that notifies");
  }
}

UniqueFd connectTo(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw Failure(step::kSeccomp, ENAMETOOLONG, path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), step::kSeccomp, path));
  check(connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), step::kSeccomp,
        path);
  return socket;
}

nlohmann::json stateOf(const SeccompListener& listener) {
  const ContainerState& state = listener.state;
  nlohmann::json result = {{"ociVersion", listener.ociVersion},
                           {"id", state.id},
                           {"status", state.status},
                           {"pid", state.pid},
                           {"bundle", state.bundle}};
  if (!state.annotations.empty()) result["annotations"] = state.annotations;
  return result;
}

}  // namespace

void passListener(pid_t pid, int pidfd, const SeccompListener& listener) {
  const UniqueFd socket = connectTo(listener.path);
  const UniqueFd taken = takeFrom(pid, pidfd);
  const nlohmann::json document = {{"ociVersion", listener.ociVersion},
                                   {"fds", nlohmann::json::array({"seccompFd"})},
                                   {"pid", pid},
                                   {"metadata", listener.metadata},
                                   {"state", stateOf(listener)}};
  std::string text = document.dump();
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int number = taken.get();
  std::memcpy(CMSG_DATA(header), &number, sizeof number);
  if (sendmsg(socket.get(), &message, MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
    fail(step::kSeccomp, listener.path);
}

SeccompListener listenerOf(const Spec& spec, ContainerState state) {
  if (!spec.seccomp) return {};
  return {spec.seccomp->listenerPath, spec.seccomp->listenerMetadata, spec.ociVersion, std::move(state)};
}

}  // namespace tsrun
