#pragma once
#include <napi.h>

#include <functional>
#include <string>
#include <vector>

namespace tsrun::addon {

/// Throws the NativeError of src/native/native.ts: an Error with code ("ENOENT"), errno and syscall.
[[noreturn]] void throwErrno(Napi::Env env, int error, const char* syscall, const std::string& subject = {});
/// The same error as a value, for promises.
Napi::Value errnoError(Napi::Env env, int error, const char* syscall, const std::string& subject = {});

/// A string argument that the kernel will see: a NUL byte in it would cut it short, so it is refused.
std::string textOf(const Napi::Value& value);
int intOf(const Napi::Value& value);

/// What a blocking call gave: `error` is an errno, 0 when it succeeded.
struct Outcome {
  int error = 0;
  int value = 0;
};

/// Runs `work` on a thread of its own and settles the returned promise with `settle(env, outcome.value)`.
/// Not on libuv's pool: that has four threads, which also serve files and name look-ups, and a helper that is
/// waited for there may itself be waiting for Node to read a file.
Napi::Promise inThread(Napi::Env env, const char* syscall, std::string subject, std::function<Outcome()> work,
                       std::function<Napi::Value(Napi::Env, int)> settle);

void initSpawn(Napi::Env env, Napi::Object exports);
void initLocks(Napi::Env env, Napi::Object exports);
void initSockets(Napi::Env env, Napi::Object exports);
void initTerminal(Napi::Env env, Napi::Object exports);
void initFiles(Napi::Env env, Napi::Object exports);

}  // namespace tsrun::addon
