#pragma once
#include <string>

namespace tsrun::oci {

/// "15", "TERM", "SIGTERM", "term" -> 15; "RTMIN+3". Throws Failure(step::kUsage).
int signalOf(const std::string& text);

}  // namespace tsrun::oci
