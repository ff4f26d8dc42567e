#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "addon/addon.h"
#include "base/unique_fd.h"

namespace tsrun::addon {
namespace {

/// A monitor accepts at once; one that was stopped must not hang the caller for ever.
constexpr timeval kConnectTimeout{10, 0};

Napi::Value pairOf(Napi::Env env, const int (&fds)[2]) {
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0u, Napi::Number::New(env, fds[0]));
  pair.Set(1u, Napi::Number::New(env, fds[1]));
  return pair;
}

Napi::Value makePipe(const Napi::CallbackInfo& info) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) throwErrno(info.Env(), errno, "pipe2");
  return pairOf(info.Env(), fds);
}

Napi::Value socketPair(const Napi::CallbackInfo& info) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    throwErrno(info.Env(), errno, "socketpair");
  return pairOf(info.Env(), fds);
}

Napi::Value connectUnix(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = textOf(info[0]);
  std::string reached = path;
  UniqueFd directory;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) throwErrno(env, ENAMETOOLONG, "connect", path);
    directory = UniqueFd(open(path.substr(0, slash + 1).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) throwErrno(env, errno, "open", path.substr(0, slash));
    reached = "/proc/self/fd/" + std::to_string(directory.get()) + path.substr(slash);
    if (reached.size() >= sizeof address.sun_path) throwErrno(env, ENAMETOOLONG, "connect", path);
  }
  std::memcpy(address.sun_path, reached.c_str(), reached.size() + 1);

  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) throwErrno(env, errno, "socket");
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kConnectTimeout, sizeof kConnectTimeout);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throwErrno(env, errno, "connect", path);
  }
  constexpr timeval kForever{0, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kForever, sizeof kForever);
  return Napi::Number::New(env, socket.release());
}

void closeFd(const Napi::CallbackInfo& info) {
  if (close(intOf(info[0])) != 0) throwErrno(info.Env(), errno, "close");
}

void setBlocking(const Napi::CallbackInfo& info) {
  const int fd = intOf(info[0]);
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) throwErrno(info.Env(), errno, "fcntl");
}

}  // namespace

void initSockets(Napi::Env env, Napi::Object exports) {
  exports.Set("pipe", Napi::Function::New(env, makePipe, "pipe"));
  exports.Set("socketPair", Napi::Function::New(env, socketPair, "socketPair"));
  exports.Set("connectUnix", Napi::Function::New(env, connectUnix, "connectUnix"));
  exports.Set("close", Napi::Function::New(env, closeFd, "close"));
  exports.Set("setBlocking", Napi::Function::New(env, setBlocking, "setBlocking"));
}

}  // namespace tsrun::addon
