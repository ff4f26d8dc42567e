#pragma once
#include <nlohmann/json.hpp>

#include "runtime/cgroup.h"

namespace tsrun::oci {

/// What a container uses, from the control files of its cgroup; what this machine does not count is left out.
nlohmann::ordered_json statsOf(const Cgroup& cgroup);

}  // namespace tsrun::oci
