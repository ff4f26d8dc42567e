#include "layer/lower_dir.h"

#include <fcntl.h>

#include <set>

#include "base/failure.h"
#include "layer/in_root.h"
#include "layer/layer_steps.h"
#include "layer/overlay.h"
#include "layer/privilege.h"

namespace tsrun {

LowerDir LowerDir::root(const std::vector<UniqueFd>& lowers) {
  LowerDir root;
  for (const UniqueFd& lower : lowers) {
    root.layers_.emplace_back(check(openat(lower.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                                    step::kLayerWalk, "lower directory"));
  }
  return root;
}

std::optional<LowerDir::Found> LowerDir::find(const std::string& name) const {
  for (const UniqueFd& layer : layers_) {
    const auto status = statChild(layer.get(), name, step::kLayerWalk);
    if (!status) continue;
    if (isWhiteout(*status)) return std::nullopt;
    return Found{layer.get(), *status};
  }
  return std::nullopt;
}

LowerDir LowerDir::enter(const std::string& name) const {
  LowerDir merged;
  const AdminScope admin;
  for (const UniqueFd& layer : layers_) {
    const auto status = statChild(layer.get(), name, step::kLayerWalk);
    if (!status) continue;
    if (!S_ISDIR(status->st_mode)) break;  // a whiteout, or a file that hides directories below
    UniqueFd dir(check(openChild(layer.get(), name, O_RDONLY | O_DIRECTORY), step::kLayerWalk, name));
    const bool last = isOpaque(dir.get());
    merged.layers_.push_back(std::move(dir));
    if (last) break;
  }
  return merged;
}

std::vector<std::string> LowerDir::names() const {
  std::set<std::string> seen;
  std::vector<std::string> visible;
  for (const UniqueFd& layer : layers_) {
    for (std::string& name : listDirectory(layer.get(), step::kLayerWalk, "lower directory"))
      seen.insert(std::move(name));
  }
  for (const std::string& name : seen) {
    if (find(name)) visible.push_back(name);
  }
  return visible;
}

}  // namespace tsrun
