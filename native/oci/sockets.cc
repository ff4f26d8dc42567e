#include "oci/sockets.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/file.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

constexpr unsigned kMostFds = 4096;

UniqueFd connectTo(const std::string& path) {
  UniqueFd socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), step::kConsole, path));
  // The path may be longer than sun_path takes: it is reached through an fd of its directory.
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  UniqueFd directory(check(open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), step::kConsole, path));
  const std::string reached = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + name;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (reached.size() >= sizeof address.sun_path) throw Failure(step::kConsole, ENAMETOOLONG, path);
  std::memcpy(address.sun_path, reached.c_str(), reached.size() + 1);
  check(connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), step::kConsole,
        path);
  return socket;
}

}  // namespace

void sendFdTo(const std::string& path, int fd, const std::string& text) {
  const UniqueFd socket = connectTo(path);
  iovec part = {const_cast<char*>(text.data()), text.size()};
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
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  check(sendmsg(socket.get(), &message, MSG_NOSIGNAL), step::kConsole, path);
}

void sendTerminal(const std::string& path, int master) {
  // The name it has in the container's own devpts; whoever gets it has the fd, and needs no name.
  unsigned number = 0;
  check(ioctl(master, TIOCGPTN, &number), step::kConsole, path);
  sendFdTo(path, master, "/dev/pts/" + std::to_string(number));
}

void writePidFile(const std::string& file, pid_t pid) {
  if (file.empty()) return;
  const std::size_t slash = file.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : slash == 0 ? "/" : file.substr(0, slash);
  const std::string temporary = directory + "/." + file.substr(slash + 1) + "." + std::to_string(getpid());
  const std::string text = std::to_string(pid);
  UniqueFd out(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!out) fail(step::kRecord, file);
  if (!writeAll(out.get(), text.data(), text.size()) || rename(temporary.c_str(), file.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    throw Failure(step::kRecord, error, file);
  }
}

unsigned preservedFds(unsigned count, std::vector<std::string>& environment) {
  if (const char* listen = std::getenv("LISTEN_FDS")) {
    const int more = std::atoi(listen);
    if (more > 0 && static_cast<unsigned>(more) <= kMostFds) {
      count += static_cast<unsigned>(more);
      environment.push_back("LISTEN_FDS=" + std::to_string(more));
      environment.push_back("LISTEN_PID=1");
    }
  }
  for (unsigned fd = 3; fd < 3 + count; ++fd)
    if (fcntl(static_cast<int>(fd), F_GETFD) < 0)
      throw Failure(step::kFds, EBADF, "--preserve-fds", "fd " + std::to_string(fd) + " is not open");
  return count;
}

}  // namespace tsrun::oci
