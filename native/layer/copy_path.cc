#include "layer/copy_path.h"

#include <fcntl.h>

#include <deque>
#include <vector>

#include "base/failure.h"
#include "layer/in_root.h"
#include "layer/layer_steps.h"
#include "layer/limits.h"

namespace tsrun {
namespace {

constexpr const char* kStep = step::kCopyPath;

std::string joined(const std::vector<std::string>& components) {
  std::string path;
  for (const std::string& component : components) path.append("/").append(component);
  return path.empty() ? "/" : path;
}

/// The links of `path` taken out, as far as there is something; what is missing stays as it is written. Only
/// text: whoever uses it resolves it again.
std::string resolvedText(int root, const std::string& path) {
  std::vector<std::string> at;
  std::deque<std::string> todo;
  for (std::string& component : componentsOf(path)) todo.push_back(std::move(component));
  for (int links = 0; !todo.empty();) {
    const std::string component = std::move(todo.front());
    todo.pop_front();
    if (component == ".") continue;
    if (component == "..") {
      if (!at.empty()) at.pop_back();
      continue;
    }
    const UniqueFd dir(openInRoot(root, joined(at).substr(1), O_PATH | O_DIRECTORY));
    const auto status = dir ? statChild(dir.get(), component, kStep) : std::nullopt;
    if (!status || !S_ISLNK(status->st_mode)) {
      at.push_back(component);
      continue;
    }
    if (++links > limits::kSymlinks) throw Failure(kStep, ELOOP, path);
    const std::string target = readLink(dir.get(), component, kStep);
    const std::vector<std::string> components = componentsOf(target);
    todo.insert(todo.begin(), components.begin(), components.end());
    if (target.starts_with('/')) at.clear();
  }
  return joined(at);
}

}  // namespace

CopyPath findCopyPath(int root, const std::string& path) {
  if (path.size() >= limits::kPath) throw Failure(kStep, ENAMETOOLONG, path.substr(0, 256));
  CopyPath found;
  const std::size_t slash = path.rfind('/');
  const std::string last = slash == std::string::npos ? path : path.substr(slash + 1);
  found.name = last.empty() ? std::string(".") : last;
  const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
  found.dir.reset(openInRoot(root, parent.substr(std::min(parent.find_first_not_of('/'), parent.size())),
                             O_RDONLY | O_DIRECTORY));
  if (!found.dir) fail(kStep, path);
  check(fstatat(found.dir.get(), found.name.c_str(), &found.status, AT_SYMLINK_NOFOLLOW), kStep, path);
  if (S_ISLNK(found.status.st_mode)) found.target = resolvedText(root, path);
  return found;
}

}  // namespace tsrun
