#include <fcntl.h>

#include <cerrno>

#include "addon/addon.h"
#include "base/unique_fd.h"

namespace tsrun::addon {
namespace {

struct flock byteLock(short type, int byte) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

Outcome take(int fd, short type, int byte, bool wait) {
  for (;;) {
    struct flock lock = byteLock(type, byte);
    if (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock) == 0) return {0, 1};
    if (errno == EAGAIN || errno == EACCES) return {0, 0};
    if (errno != EINTR) return {errno, 0};
  }
}

Napi::Value lock(const Napi::CallbackInfo& info, short type) {
  const Napi::Env env = info.Env();
  const int fd = intOf(info[0]), byte = intOf(info[1]);
  const bool wait = info[2].ToBoolean();
  const auto settle = [](Napi::Env env, int taken) { return Napi::Boolean::New(env, taken != 0); };
  const Outcome first = take(fd, type, byte, false);
  if (first.error == 0 && (first.value != 0 || !wait)) {
    const auto deferred = Napi::Promise::Deferred::New(env);
    deferred.Resolve(settle(env, first.value));
    return deferred.Promise();
  }
  if (first.error != 0) throwErrno(env, first.error, "fcntl");
  return inThread(
      env, "fcntl", {}, [=] { return take(fd, type, byte, true); }, settle);
}

Napi::Value lockExclusive(const Napi::CallbackInfo& info) {
  return lock(info, F_WRLCK);
}
Napi::Value lockShared(const Napi::CallbackInfo& info) {
  return lock(info, F_RDLCK);
}

bool isHeld(Napi::Env env, const std::string& path, int byte) {
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    throwErrno(env, errno, "open", path);
  }
  // Asked as a writer: then a reader's lock counts as well. Only asking needs no write access.
  struct flock asked = byteLock(F_WRLCK, byte);
  if (fcntl(file.get(), F_OFD_GETLK, &asked) != 0) throwErrno(env, errno, "fcntl", path);
  return asked.l_type != F_UNLCK;
}

Napi::Value probeLocks(const Napi::CallbackInfo& info) {
  const Napi::Array paths = info[0].As<Napi::Array>();
  const int byte = intOf(info[1]);
  Napi::Array held = Napi::Array::New(info.Env(), paths.Length());
  for (std::uint32_t i = 0; i < paths.Length(); ++i) {
    held.Set(i, Napi::Boolean::New(info.Env(), isHeld(info.Env(), textOf(paths.Get(i)), byte)));
  }
  return held;
}

}  // namespace

void initLocks(Napi::Env env, Napi::Object exports) {
  exports.Set("lock", Napi::Function::New(env, lockExclusive, "lock"));
  exports.Set("lockShared", Napi::Function::New(env, lockShared, "lockShared"));
  exports.Set("probeLocks", Napi::Function::New(env, probeLocks, "probeLocks"));
}

}  // namespace tsrun::addon
