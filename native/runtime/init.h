#pragma once
#include <string>

#include "runtime/spec.h"

namespace tsrun {

/// Puts tsrun's own init before the program (`--init`): `path`, the executable on the host, is bound
/// read-only at /sbin/docker-init. It is the last mount, so that no volume hides it. Throws
/// Failure(step::kHelperConfig) without a path.
void addInit(Spec& spec, const std::string& path);

}  // namespace tsrun
