#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
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

/// False where the file system has no such flag.
bool spread(const std::string& path) {
  UniqueFd dir(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  int flags = 0;  // whatever the macro says, the kernel means an int
  if (!dir || ioctl(dir.get(), FS_IOC_GETFLAGS, &flags) != 0) return false;
  flags |= FS_TOPDIR_FL;
  return ioctl(dir.get(), FS_IOC_SETFLAGS, &flags) == 0;
}

Napi::Value spreadDirectories(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), spread(textOf(info[0])));
}

}  // namespace

void initFiles(Napi::Env env, Napi::Object exports) {
  exports.Set("syncfs", Napi::Function::New(env, syncfs, "syncfs"));
  exports.Set("spreadDirectories", Napi::Function::New(env, spreadDirectories, "spreadDirectories"));
  exports.Set("renameNoReplace", Napi::Function::New(env, renameNoReplace, "renameNoReplace"));
}

}  // namespace tsrun::addon
