#pragma once
#include <string>

namespace tsrun {

/// The time now, RFC 3339 in UTC with up to nine digits of a second and no trailing zeros, as Docker writes
/// times.
std::string rfc3339Now();

/// CLOCK_MONOTONIC in milliseconds.
long long monotonicMs();

}  // namespace tsrun
