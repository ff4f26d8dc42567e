#include "layer/changes.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/failure.h"
#include "layer/attributes.h"
#include "layer/bytes.h"
#include "layer/in_root.h"
#include "layer/layer_steps.h"
#include "layer/limits.h"
#include "layer/overlay.h"

namespace tsrun {
namespace {

constexpr const char* kStep = step::kLayerWalk;

bool sameTime(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/// Both are regular files of one size. The kernel keeps the times when it copies up, so this runs only for
/// files that were touched but whose attributes are still those below.
bool sameContent(int dirA, int dirB, const std::string& name) {
  const UniqueFd a(check(openChild(dirA, name, O_RDONLY | O_NONBLOCK), kStep, name));
  const UniqueFd b(check(openChild(dirB, name, O_RDONLY | O_NONBLOCK), kStep, name));
  std::vector<unsigned char> left(64 << 10), right(64 << 10);
  for (;;) {
    const std::size_t size = readSome(a.get(), left.data(), left.size(), kStep, name);
    std::size_t got = 0;
    while (got < size) {
      const std::size_t more = readSome(b.get(), right.data() + got, size - got, kStep, name);
      if (more == 0) return false;
      got += more;
    }
    if (size == 0) return true;
    if (!std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(size), right.begin()))
      return false;
  }
}

/// Sizes and times of directories tell nothing: they change with their entries.
bool same(const UpperNode& node, const LowerDir::Found& below) {
  const struct stat &a = node.status, &b = below.status;
  if (a.st_mode != b.st_mode || a.st_uid != b.st_uid || a.st_gid != b.st_gid || a.st_rdev != b.st_rdev)
    return false;
  if (!S_ISDIR(a.st_mode) && (a.st_size != b.st_size || !sameTime(a.st_mtim, b.st_mtim))) return false;
  if (readXattrs(Node::child(node.dir, node.name), kStep, node.path) !=
      readXattrs(Node::child(below.dir, node.name), kStep, node.path)) {
    return false;
  }
  if (S_ISLNK(a.st_mode))
    return readLink(node.dir, node.name, kStep) == readLink(below.dir, node.name, kStep);
  return !S_ISREG(a.st_mode) || sameContent(node.dir, below.dir, node.name);
}

class Walker {
 public:
  Walker(const WalkRequest& request, UpperVisitor& visitor) : request_(request), visitor_(visitor) {}

  void directory(int dir, const std::string& path, const LowerDir& lower, bool hidden, std::size_t depth) {
    if (depth > limits::kDepth)
      throw Failure(kStep, ENAMETOOLONG, path.substr(0, 256), "too many directories");
    const std::vector<UpperNode> nodes = children(dir, path, lower, hidden);
    for (const UpperNode& node : nodes) {
      visitor_.visit(node);
      if (!S_ISDIR(node.status.st_mode)) continue;
      const UniqueFd child(openChild(dir, node.name, O_RDONLY | O_DIRECTORY));
      if (!child && errno != ENOENT) fail(kStep, node.path);
      const bool merges = node.below && S_ISDIR(node.belowStatus.st_mode);
      if (child) {
        directory(child.get(), node.path, merges ? lower.enter(node.name) : LowerDir(), hidden || node.opaque,
                  depth + 1);
      }
      visitor_.leave(node);
    }
    if (hidden) reportHidden(dir, path, lower);
  }

 private:
  std::vector<UpperNode> children(int dir, const std::string& path, const LowerDir& lower, bool hidden) {
    std::vector<UpperNode> nodes;
    for (std::string& name : listDirectory(dir, kStep, path)) {
      UpperNode node;
      node.path = path.empty() ? name : path + '/' + name;
      if (node.path.size() >= limits::kPath) throw Failure(kStep, ENAMETOOLONG, node.path.substr(0, 256));
      const auto status = statChild(dir, name, kStep);
      if (!status || isStub(node.path, *status) || request_.covered.contains(node.path)) continue;
      node.dir = dir;
      node.name = std::move(name);
      node.status = *status;
      node.belowHidden = hidden;
      node.whiteout = isWhiteout(*status);
      compare(node, lower);
      nodes.push_back(std::move(node));
    }
    std::sort(nodes.begin(), nodes.end(), [](const UpperNode& a, const UpperNode& b) {
      return a.whiteout != b.whiteout ? a.whiteout : a.name < b.name;
    });
    return nodes;
  }

  void compare(UpperNode& node, const LowerDir& lower) const {
    if (S_ISDIR(node.status.st_mode)) {
      const UniqueFd own(openChild(node.dir, node.name, O_RDONLY | O_DIRECTORY));
      node.opaque = own && isOpaque(own.get());
    }
    const auto below = lower.find(node.name);
    node.below = below.has_value();
    if (!below) return;
    node.belowStatus = below->status;
    if (!node.whiteout) node.unchanged = same(node, *below);
  }

  bool isStub(const std::string& path, const struct stat& status) const {
    return S_ISREG(status.st_mode) && status.st_size == 0 && request_.stubs.contains(path);
  }

  void reportHidden(int dir, const std::string& path, const LowerDir& lower) {
    for (const std::string& name : lower.names()) {
      if (!statChild(dir, name, kStep)) visitor_.hidden(path.empty() ? name : path + '/' + name);
    }
  }

  const WalkRequest& request_;
  UpperVisitor& visitor_;
};

}  // namespace

void walkUpper(const WalkRequest& request, const LowerDir& lower, UpperVisitor& visitor) {
  Walker(request, visitor).directory(request.upper, "", lower, false, 0);
}

}  // namespace tsrun
