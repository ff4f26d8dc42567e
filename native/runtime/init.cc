#include "runtime/init.h"

#include <cerrno>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {

void addInit(Spec& spec, const std::string& path) {
  constexpr char kInside[] = "/sbin/docker-init";
  if (path.empty()) throw Failure(step::kHelperConfig, EINVAL, "--init", "is missing");
  spec.mounts.push_back({kInside, "bind", path, {"bind", "ro", "nosuid", "nodev"}});
  spec.process.args.insert(spec.process.args.begin(), {kInside, "--"});
}

}  // namespace tsrun
