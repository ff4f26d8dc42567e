#include "layer/copy_out.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/failure.h"
#include "layer/in_root.h"
#include "layer/layer_steps.h"
#include "layer/limits.h"
#include "layer/node_entry.h"
#include "layer/tar_writer.h"

namespace tsrun {
namespace {

constexpr const char* kStep = step::kLayerWalk;

/// How often something that is replaced again and again while it is read is looked at.
constexpr int kTries = 16;

bool hasVanished(int error) {
  return error == ENOENT || error == ESTALE;
}

/// The access lists and trusted attributes of one machine mean nothing on another.
void keepPortable(std::map<std::string, std::string>& xattrs) {
  std::erase_if(xattrs, [](const auto& item) {
    return item.first != "security.capability" && !item.first.starts_with("user.");
  });
}

class Writer {
 public:
  explicit Writer(int fd) : tar_(fd) {}

  void node(int dir, const std::string& name, const std::string& path, std::size_t depth) {
    for (int tries = 0; tries < kTries; ++tries) {
      const auto status = statChild(dir, name, kStep);
      if (!status) return;
      const std::uint64_t before = result_.entries;
      try {
        return one(dir, name, *status, path, depth);
      } catch (const Failure& failure) {
        // Once its header is out it must come whole.
        if (!hasVanished(failure.error) || result_.entries != before) throw;
      }
    }
    throw Failure(kStep, ESTALE, path, "replaced again and again while it was read");
  }

  void content(int dir, const std::string& prefix, std::size_t depth) {
    if (depth > limits::kDepth)
      throw Failure(kStep, ENAMETOOLONG, prefix.substr(0, 256), "too many directories");
    for (const std::string& name : sortedNames(dir, prefix)) node(dir, name, prefix + name, depth);
  }

  CopyOutResult finish() {
    tar_.finish();
    result_.tarSize = tar_.size();
    return result_;
  }

 private:
  void one(int dir, const std::string& name, const struct stat& status, const std::string& path,
           std::size_t depth) {
    if (S_ISSOCK(status.st_mode)) {
      ++result_.skippedSockets;
      return;
    }
    if (S_ISDIR(status.st_mode)) return directory(dir, name, status, path, depth);
    TarEntry entry = describe(dir, name, status, path);
    const std::pair<dev_t, ino_t> inode{status.st_dev, status.st_ino};
    const auto first = status.st_nlink > 1 ? names_.find(inode) : names_.end();
    if (first != names_.end()) {
      entry.kind = NodeKind::hardLink;
      entry.linkName = first->second;
      // With its xattrs: Docker and podman give the link its owner again, which takes file capabilities away.
      return header(entry);
    }
    if (S_ISREG(status.st_mode)) {
      const NodeFile file(dir, name, status, path);
      entry.fileSize = file.size();
      header(entry);
      file.write(tar_);
    } else {
      header(entry);
    }
    if (status.st_nlink > 1) names_.emplace(inode, path);
  }

  static std::vector<std::string> sortedNames(int dir, const std::string& prefix) {
    try {
      std::vector<std::string> names = listDirectory(dir, kStep, prefix);
      std::sort(names.begin(), names.end());
      return names;
    } catch (const Failure& failure) {
      if (failure.error != ENOENT) throw;
      return {};  // removed by now
    }
  }

  void directory(int dir, const std::string& name, const struct stat& status, const std::string& path,
                 std::size_t depth) {
    const UniqueFd child(check(openChild(dir, name, O_RDONLY | O_DIRECTORY), kStep, path));
    TarEntry entry = describe(dir, name, status, path);
    if (!entry.name.ends_with('/')) entry.name += '/';
    header(entry);
    content(child.get(), entry.name, depth + 1);
  }

  static TarEntry describe(int dir, const std::string& name, const struct stat& status,
                           const std::string& path) {
    TarEntry entry = entryOf(dir, name, status, path);
    entry.mtime.tv_nsec = 0;
    keepPortable(entry.xattrs);
    return entry;
  }

  void header(const TarEntry& entry) {
    tar_.header(entry);
    ++result_.entries;
  }

  TarWriter tar_;
  CopyOutResult result_;
  std::map<std::pair<dev_t, ino_t>, std::string> names_;
};

}  // namespace

CopyOutResult copyOut(const CopyPath& from, const std::string& name, int fd) {
  Writer writer(fd);
  if (name.empty()) {
    const UniqueFd root(check(openChild(from.dir.get(), from.name, O_RDONLY | O_DIRECTORY), kStep, "/"));
    writer.content(root.get(), "", 0);
  } else {
    writer.node(from.dir.get(), from.name, name, 0);
  }
  return writer.finish();
}

}  // namespace tsrun
