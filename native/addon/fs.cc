#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>

#include "addon/addon.h"
#include "base/unique_fd.h"

namespace tsrun::addon {
namespace {

Outcome syncFileSystem(const std::string& path) {
  // Not O_PATH: syncfs refuses such an fd. O_NONBLOCK: `path` may be anything.
  UniqueFd file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file || ::syncfs(file.get()) != 0) return {errno, 0};
  return {};
}

Napi::Value syncfs(const Napi::CallbackInfo& info) {
  const std::string path = textOf(info[0]);
  return inThread(
      info.Env(), "syncfs", path, [path] { return syncFileSystem(path); },
      [](Napi::Env env, int) { return env.Undefined(); });
}

void renameNoReplace(const Napi::CallbackInfo& info) {
  const std::string from = textOf(info[0]), to = textOf(info[1]);
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
    throwErrno(info.Env(), errno, "renameat2", to);
  }
}

}  // namespace

void initFiles(Napi::Env env, Napi::Object exports) {
  exports.Set("syncfs", Napi::Function::New(env, syncfs, "syncfs"));
  exports.Set("renameNoReplace", Napi::Function::New(env, renameNoReplace, "renameNoReplace"));
}

}  // namespace tsrun::addon
