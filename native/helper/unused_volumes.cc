#include "helper/unused_volumes.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include <cerrno>
#include <memory>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/file.h"
#include "runtime/lock.h"
#include "runtime/remove.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

/// Byte of storage.lock that a record is published under, shared (src/store/locks.ts).
constexpr int kStorageByte = 0;

/// Empty if the container has just been removed.
std::string recordOf(const std::string& container) {
  try {
    return readFile(container + "/container.json", step::kRemove);
  } catch (const Failure& failure) {
    if (failure.error == ENOENT || failure.error == ENOTDIR) return "";
    throw;
  }
}

/// A name of 64 random digits stands in a record only if the container has the volume, or says so: in doubt
/// the volume stays.
bool isUsed(const std::string& containers, const std::string& name) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(containers.c_str()), closedir);
  if (!directory) fail(step::kRemove, containers);
  while (const dirent* entry = readdir(directory.get())) {
    if (entry->d_name[0] == '.') continue;
    if (recordOf(containers + "/" + entry->d_name).find(name) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

void removeUnusedVolumes(const std::string& root, const std::vector<std::string>& paths) {
  if (paths.empty()) return;
  std::vector<std::string> graves;
  {
    const std::string path = root + "/storage.lock";
    UniqueFd lock(
        check(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600), step::kRemove, path));
    // Nobody begins to use what goes: it is moved away under the lock, by one rename, and removed without it.
    lockByte(lock.get(), kStorageByte, true);
    for (const std::string& volume : paths) {
      const std::string name = volume.substr(volume.rfind('/') + 1);
      if (isUsed(root + "/containers", name)) continue;
      const std::string grave = root + "/trash/" + name;
      removeTree(grave);
      if (rename(volume.c_str(), grave.c_str()) == 0)
        graves.push_back(grave);
      else if (errno != ENOENT)
        fail(step::kRemove, volume);
    }
  }
  for (const std::string& grave : graves) removeTree(grave);
}

}  // namespace tsrun
