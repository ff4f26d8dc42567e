#pragma once
#include <string>

namespace tsrun {

/// The kernel's id of this boot. Throws Failure(step::kRecord).
std::string bootId();

}  // namespace tsrun
