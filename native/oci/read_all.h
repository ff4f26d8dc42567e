#pragma once
#include <string>

namespace tsrun::oci {

/// All of a file, which may be a pipe; "-" is standard input. Throws Failure(step::kHelperConfig); EFBIG past
/// 64 MiB.
std::string readAll(const std::string& file);

}  // namespace tsrun::oci
