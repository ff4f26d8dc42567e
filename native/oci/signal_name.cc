#include "oci/signal_name.h"

#include <string.h>

#include <cctype>
#include <charconv>
#include <csignal>
#include <optional>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

std::optional<int> numberOf(std::string_view text) {
  int number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<int> realtime(const std::string& name) {
  for (const bool fromMin : {true, false}) {
    const std::string start = fromMin ? "RTMIN" : "RTMAX";
    if (!name.starts_with(start)) continue;
    const std::string rest = name.substr(start.size());
    // The kernel's first: the C library keeps two of them for itself, and a container's has its own view of
    // that.
    const int base = fromMin ? 34 : 64;
    if (rest.empty()) return base;
    if (rest[0] != (fromMin ? '+' : '-')) return std::nullopt;
    const auto offset = numberOf(std::string_view(rest).substr(1));
    if (!offset || *offset < 0 || *offset > 30) return std::nullopt;
    return fromMin ? base + *offset : base - *offset;
  }
  return std::nullopt;
}

}  // namespace

int signalOf(const std::string& text) {
  if (const auto number = numberOf(text); number && *number >= 0 && *number <= 64) return *number;
  std::string name;
  for (const char c : text) name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (name.starts_with("SIG")) name.erase(0, 3);
  if (name == "IOT") return SIGABRT;
  if (name == "CLD") return SIGCHLD;
  for (int number = 1; number < 32; ++number) {
    const char* known = sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  if (const auto number = realtime(name)) return *number;
  throw Failure(step::kUsage, 0, text, "there is no such signal");
}

}  // namespace tsrun::oci
