#include "layer/listing.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "base/failure.h"
#include "layer/attributes.h"
#include "layer/bytes.h"
#include "layer/in_root.h"
#include "layer/jail.h"
#include "layer/layer_steps.h"
#include "layer/limits.h"
#include "layer/overlay.h"

namespace tsrun {
namespace {

constexpr const char* kStep = step::kLayerWalk;

/// FNV-1a: attributes are compared for equality only, and nothing is decided by it.
std::uint64_t hashOf(const Xattrs& xattrs) {
  if (xattrs.empty()) return 0;
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](const std::string& text) {
    for (const char c : text + '\0') hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  for (const auto& [name, value] : xattrs) {
    add(name);
    add(value);
  }
  return hash == 0 ? 1 : hash;
}

char kindOf(const struct stat& status) {
  switch (status.st_mode & S_IFMT) {
    case S_IFDIR:
      return 'd';
    case S_IFREG:
      return 'f';
    case S_IFLNK:
      return 'l';
    case S_IFBLK:
      return 'b';
    case S_IFIFO:
      return 'p';
    case S_IFSOCK:
      return 's';
    default:
      return isWhiteout(status) ? 'w' : 'c';
  }
}

class Lister {
 public:
  void layer(int root) {
    links_.clear();
    directory(root, "", 0);
    text_ += '\0';
  }

  std::uint64_t finish() {
    flush();
    return count_;
  }

 private:
  void directory(int dir, const std::string& path, std::size_t depth) {
    if (depth > limits::kDepth)
      throw Failure(kStep, ENAMETOOLONG, path.substr(0, 256), "too many directories");
    std::vector<std::string> names = listDirectory(dir, kStep, path);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      const auto status = statChild(dir, name, kStep);
      if (!status) continue;
      const std::string whole = path.empty() ? name : path + '/' + name;
      if (S_ISDIR(status->st_mode)) {
        const UniqueFd child(check(openChild(dir, name, O_RDONLY | O_DIRECTORY), kStep, whole));
        record(isOpaque(child.get()) ? 'o' : 'd', Node::opened(child.get()), name, *status, depth, whole);
        directory(child.get(), whole, depth + 1);
      } else {
        record(kindOf(*status), Node::child(dir, name), name, *status, depth, whole);
        if (S_ISLNK(status->st_mode)) text_ += readLink(dir, name, kStep) + '\0';
      }
    }
  }

  void record(char kind, const Node& node, const std::string& name, const struct stat& status,
              std::size_t depth, const std::string& path) {
    char line[192];
    const auto size = static_cast<unsigned long long>(S_ISREG(status.st_mode) ? status.st_size : 0);
    const auto xattrs =
        static_cast<unsigned long long>(kind == 'w' ? 0 : hashOf(readXattrs(node, kStep, path)));
    const int length = std::snprintf(line, sizeof line, "%c %zu %u %u %u %llu %lld.%09ld %llu %llx ", kind,
                                     depth, status.st_mode & 07777U, status.st_uid, status.st_gid, size,
                                     static_cast<long long>(status.st_mtim.tv_sec), status.st_mtim.tv_nsec,
                                     static_cast<unsigned long long>(linkOf(status)), xattrs);
    text_.append(line, static_cast<std::size_t>(length));
    text_ += name;
    text_ += '\0';
    ++count_;
    if (text_.size() >= kBuffer) flush();
  }

  std::uint64_t linkOf(const struct stat& status) {
    if (S_ISDIR(status.st_mode) || status.st_nlink < 2) return 0;
    return links_.try_emplace({status.st_dev, status.st_ino}, links_.size() + 1).first->second;
  }

  void flush() {
    writeAll(STDOUT_FILENO, text_.data(), text_.size(), step::kLayerWrite, "list of files");
    text_.clear();
  }

  static constexpr std::size_t kBuffer = 256 << 10;
  std::string text_;
  std::uint64_t count_ = 0;
  std::map<std::pair<dev_t, ino_t>, std::uint64_t> links_;
};

}  // namespace

std::uint64_t listLayers(const std::vector<std::string>& layers) {
  if (layers.empty()) return 0;
  const Jail jail = enterJail(layers.front(), {layers.begin() + 1, layers.end()}, JailMode::read);
  Lister lister;
  lister.layer(jail.root.get());
  for (const UniqueFd& layer : jail.lowers) lister.layer(layer.get());
  return lister.finish();
}

}  // namespace tsrun
