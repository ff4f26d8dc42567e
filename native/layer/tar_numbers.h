#pragma once
#include <time.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace tsrun {

/// A number field of a tar header: octal text, or GNU's base-256 (two's complement) when the top bit is set.
/// Empty fields are 0; nothing if it is malformed or does not fit.
std::optional<std::int64_t> parseTarNumber(std::string_view field);

/// Unsigned decimal digits and nothing else, below 2^63.
std::optional<std::uint64_t> parseDecimal(std::string_view text);

/// A time of a PAX record: [-]seconds[.fraction], cut to nanoseconds (towards the past).
std::optional<timespec> parsePaxTime(std::string_view text);

}  // namespace tsrun
