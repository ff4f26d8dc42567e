#include "layer/tar_numbers.h"

#include <limits>

namespace tsrun {
namespace {

std::optional<std::int64_t> parseBase256(std::string_view field) {
  // The first byte is 0x80 | high bits of a positive number, or 0xff for a negative one.
  const bool negative = (field[0] & 0x40) != 0;
  std::uint64_t value = negative ? ~0ULL : 0;
  const std::uint64_t filler = negative ? 0xff : 0;
  for (std::size_t i = 0; i < field.size(); ++i) {
    auto byte = static_cast<unsigned char>(field[i]);
    if (i == 0) byte = negative ? byte | 0x80 : byte & 0x7f;
    if (value >> 56 != filler) return std::nullopt;  // a significant byte would fall out
    value = value << 8 | byte;
  }
  const auto number = static_cast<std::int64_t>(value);
  if ((number < 0) != negative) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::int64_t> parseTarNumber(std::string_view field) {
  if ((field[0] & 0x80) != 0) return parseBase256(field);
  std::size_t begin = 0, end = field.size();
  const auto blank = [&](std::size_t at) { return field[at] == ' ' || field[at] == '\0'; };
  while (begin < end && blank(begin)) ++begin;
  while (end > begin && blank(end - 1)) --end;
  std::int64_t value = 0;  // 12 digits of 3 bits cannot overflow
  for (std::size_t i = begin; i < end; ++i) {
    if (field[i] < '0' || field[i] > '7') return std::nullopt;
    value = value << 3 | (field[i] - '0');
  }
  return value;
}

std::optional<std::uint64_t> parseDecimal(std::string_view text) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (value > (kMost - static_cast<std::uint64_t>(c - '0')) / 10) return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::optional<timespec> parsePaxTime(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  const auto seconds = parseDecimal(text.substr(0, dot));
  if (!seconds) return std::nullopt;
  long nanos = 0;
  bool rest = false;
  if (dot != std::string_view::npos) {
    const std::string_view fraction = text.substr(dot + 1);
    long unit = 100'000'000;
    for (const char c : fraction) {
      if (c < '0' || c > '9') return std::nullopt;
      nanos += (c - '0') * unit;
      rest = rest || (unit == 0 && c != '0');
      unit /= 10;
    }
  }
  timespec time{static_cast<time_t>(*seconds), nanos};
  if (negative) {
    if (rest) ++nanos;
    time.tv_sec = -time.tv_sec;
    if (nanos > 0) {
      --time.tv_sec;
      time.tv_nsec = 1'000'000'000 - nanos;
    }
  }
  return time;
}

}  // namespace tsrun
