#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "addon/addon.h"

namespace tsrun::addon {
namespace {

Napi::Value windowSize(const Napi::CallbackInfo& info) {
  winsize size{};
  if (ioctl(intOf(info[0]), TIOCGWINSZ, &size) != 0) throwErrno(info.Env(), errno, "ioctl");
  Napi::Object value = Napi::Object::New(info.Env());
  value.Set("rows", Napi::Number::New(info.Env(), size.ws_row));
  value.Set("cols", Napi::Number::New(info.Env(), size.ws_col));
  return value;
}

/// With SIGTTOU blocked: a client that was put into the background can still put the terminal right on its
/// way out, instead of being stopped with the terminal raw.
int apply(int fd, const termios& settings) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  int error = 0;
  while (tcsetattr(fd, TCSANOW, &settings) != 0) {
    if (errno == EINTR) continue;
    error = errno;
    break;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return error;
}

Napi::Value makeRaw(const Napi::CallbackInfo& info) {
  const int fd = intOf(info[0]);
  termios settings{};
  if (tcgetattr(fd, &settings) != 0) throwErrno(info.Env(), errno, "tcgetattr");
  Napi::Uint8Array saved = Napi::Uint8Array::New(info.Env(), sizeof settings);
  std::memcpy(saved.Data(), &settings, sizeof settings);
  cfmakeraw(&settings);
  if (const int error = apply(fd, settings)) throwErrno(info.Env(), error, "tcsetattr");
  return saved;
}

void restoreTerminal(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array saved = info[1].As<Napi::Uint8Array>();
  termios settings{};
  if (saved.ByteLength() != sizeof settings) throw Napi::TypeError::New(info.Env(), "not a value of makeRaw");
  std::memcpy(&settings, saved.Data(), sizeof settings);
  if (const int error = apply(intOf(info[0]), settings)) throwErrno(info.Env(), error, "tcsetattr");
}

/// Of fds 0 to 2 when we were loaded, -1 if closed.
int initialFlags[3];

/// libuv makes pipes non-blocking, also those that we share with the next command of a script: given back as
/// they were. Whatever else the process has goes with it.
void exitNow(const Napi::CallbackInfo& info) {
  for (int fd = 0; fd <= 2; ++fd) {
    const int now = fcntl(fd, F_GETFL);
    if (now >= 0 && initialFlags[fd] >= 0 && now != initialFlags[fd]) fcntl(fd, F_SETFL, initialFlags[fd]);
  }
  _exit(intOf(info[0]));
}

}  // namespace

void initTerminal(Napi::Env env, Napi::Object exports) {
  for (int fd = 0; fd <= 2; ++fd) initialFlags[fd] = fcntl(fd, F_GETFL);
  exports.Set("exitNow", Napi::Function::New(env, exitNow, "exitNow"));
  exports.Set("windowSize", Napi::Function::New(env, windowSize, "windowSize"));
  exports.Set("makeRaw", Napi::Function::New(env, makeRaw, "makeRaw"));
  exports.Set("restoreTerminal", Napi::Function::New(env, restoreTerminal, "restoreTerminal"));
}

}  // namespace tsrun::addon
