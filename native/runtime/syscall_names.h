#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace tsrun {

/// The number of system call `name` on libseccomp's architecture `arch`, as the kernel shows it to a filter
/// (with the x32 bit where that applies); nothing if the architecture has no such call. Knows calls that are
/// newer than libseccomp 2.5.
std::optional<std::uint32_t> syscallNumber(std::uint32_t arch, const std::string& name);

}  // namespace tsrun
