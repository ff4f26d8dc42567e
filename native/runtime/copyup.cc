#include "runtime/copyup.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "base/unique_fd.h"
#include "runtime/copy_tree.h"
#include "runtime/inroot.h"
#include "runtime/mount_api.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr char kPart[] = ".copyup.part", kDone[] = ".copyup.done";
constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr unsigned kNoReplace = 1;  // RENAME_NOREPLACE

/// Moves every entry of a finished copy into the volume and removes the copy. What the volume already has
/// stays.
bool moveIntoVolume(int parent, int volume) {
  UniqueFd copy(openat(parent, kDone, kDirectory));
  struct stat info;
  if (!copy || fstat(copy.get(), &info) < 0) return false;
  if (!copyDirectoryAttributes(copy.get(), volume)) return false;
  char buffer[4096];
  for (bool moved = true; moved;) {
    moved = false;
    if (lseek(copy.get(), 0, SEEK_SET) < 0) return false;
    for (;;) {
      const long length = syscall(SYS_getdents64, copy.get(), buffer, sizeof buffer);
      if (length < 0) return false;
      if (length == 0) break;
      for (long at = 0; at < length;) {
        const auto* entry = reinterpret_cast<const dirent64*>(buffer + at);
        at += entry->d_reclen;
        const char* name = entry->d_name;
        if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
        if (syscall(SYS_renameat2, copy.get(), name, volume, name, kNoReplace) == 0)
          moved = true;
        else if (errno != EEXIST)
          return false;
      }
    }
  }
  // The moves changed the times of both directories: back to what the copy had.
  const timespec times[2] = {info.st_atim, info.st_mtim};
  return futimens(volume, times) == 0 && removeContent(copy.get()) &&
         unlinkat(parent, kDone, AT_REMOVEDIR) == 0;
}

bool removePart(int parent) {
  UniqueFd part(openat(parent, kPart, kDirectory));
  if (!part) return errno == ENOENT;
  return removeContent(part.get()) && unlinkat(parent, kPart, AT_REMOVEDIR) == 0;
}

}  // namespace

CopyUp::CopyUp(const Launch& launch) {
  for (const Launch::CopyUp& entry : launch.copyUp) {
    Item item;
    const std::size_t slash = entry.source.rfind('/');
    item.parent = entry.source.substr(0, slash);
    item.name = entry.source.substr(slash + 1);
    item.destination = entry.destination;
    for (const std::string& anonymous : launch.anonymousVolumes)
      if (launch.autoRemove && (entry.source + "/").starts_with(anonymous + "/")) item.durable = false;
    items_.push_back(std::move(item));
  }
}

void CopyUp::takeVolumes(int ids, Report& report) {
  report.step(step::kCopyUp);
  for (Item& item : items_) {
    item.mapped.reset(sys::cloneTree(AT_FDCWD, item.parent.c_str(), false));
    if (!item.mapped || sys::mapIds(item.mapped.get(), false, ids) < 0)
      report.die(item.parent.c_str(),
                 item.mapped ? "its ids cannot be mapped: not by this file system or kernel" : "");
  }
}

void CopyUp::run(int root, Report& report) const {
  if (items_.empty()) return;
  report.step(step::kCopyUp);
  for (const Item& item : items_) runOne(item, root, report);
}

void CopyUp::runOne(const Item& item, int root, Report& report) const {
  const char* subject = item.destination.c_str();
  UniqueFd parent(item.mapped ? openat(item.mapped.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                              : open(item.parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent) report.die(item.parent.c_str());
  if (flock(parent.get(), LOCK_EX) < 0) report.die(item.parent.c_str());
  UniqueFd volume(openat(parent.get(), item.name.c_str(), kDirectory));
  if (!volume) report.die(subject, item.name.c_str());

  // A copy that was complete but not yet moved: the volume may hold a part of it and so not be empty.
  if (faccessat(parent.get(), kDone, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!moveIntoVolume(parent.get(), volume.get())) report.die(subject);
    return;
  }
  if (!removePart(parent.get())) report.die(subject);
  errno = 0;
  if (!isEmptyDirectory(volume.get())) {
    if (errno != 0) report.die(subject);
    return;
  }
  UniqueFd image(openInRoot(root, subject, O_RDONLY | O_DIRECTORY));
  if (!image) {
    if (errno == ENOENT || errno == ENOTDIR)
      return;  // nothing to copy: the target is made when it is mounted
    report.die(subject);
  }
  if (isEmptyDirectory(image.get())) {
    if (!copyDirectoryAttributes(image.get(), volume.get())) report.die(subject);
    return;
  }
  if (lseek(image.get(), 0, SEEK_SET) < 0) report.die(subject);

  UniqueFd part;
  if (mkdirat(parent.get(), kPart, 0700) == 0) part.reset(openat(parent.get(), kPart, kDirectory));
  if (!part) report.die(subject);
  CopyError error;
  if (!copyTree(image.get(), part.get(), error)) {
    char path[PATH_MAX];
    std::snprintf(path, sizeof path, "%s/%s", subject, error.path);
    report.die(error.error, path);
  }
  // The rename says "complete": after a power cut it must not be there before the data is.
  if (item.durable && syncfs(part.get()) < 0) report.die(subject);
  if (renameat(parent.get(), kPart, parent.get(), kDone) < 0) report.die(subject);
  if (!moveIntoVolume(parent.get(), volume.get())) report.die(subject);
}

}  // namespace tsrun
