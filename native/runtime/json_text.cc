#include "runtime/json_text.h"

#include <algorithm>
#include <cstring>

namespace tsrun {
namespace {

constexpr char kHex[] = "0123456789abcdef";

/// Length of the UTF-8 character that begins at `text`, 0 if the bytes there are not one (RFC 3629: no
/// overlong forms, no surrogates, nothing past U+10FFFF).
std::size_t characterLength(const unsigned char* text, std::size_t left) {
  const unsigned char first = text[0];
  const auto continues = [&](std::size_t at, unsigned low = 0x80, unsigned high = 0xbf) {
    return at < left && text[at] >= low && text[at] <= high;
  };
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return continues(1) ? 2 : 0;
  if (first < 0xf0) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80, high = first == 0xed ? 0x9f : 0xbf;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (first < 0xf5) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80, high = first == 0xf4 ? 0x8f : 0xbf;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

std::size_t unicodeEscape(char* out, unsigned code) {
  out[0] = '\\';
  out[1] = 'u';
  for (int i = 0; i < 4; ++i) out[2 + i] = kHex[(code >> (12 - 4 * i)) & 15];
  return 6;
}

bool isPlain(unsigned char c, JsonText::Style style) {
  if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') return false;
  return style == JsonText::Style::kPlain || (c != '<' && c != '>' && c != '&');
}

/// The escape of an ASCII character, 0 if it stands for itself.
std::size_t asciiEscape(char* out, unsigned char c, JsonText::Style style) {
  if (c == '"' || c == '\\' || c == '\n' || c == '\r') {
    out[0] = '\\';
    out[1] = c == '\n' ? 'n' : c == '\r' ? 'r' : static_cast<char>(c);
    return 2;
  }
  const bool html = c == '<' || c == '>' || c == '&';
  if (c < 0x20 || (html && style == JsonText::Style::kDockerLog)) return unicodeEscape(out, c);
  return 0;
}

}  // namespace

void JsonText::raw(const char* text, std::size_t length) {
  if (length > capacity_ - size_) {
    truncated_ = true;
    return;
  }
  std::memcpy(buffer_ + size_, text, length);
  size_ += length;
}

void JsonText::raw(const char* text) {
  raw(text, std::strlen(text));
}

void JsonText::number(std::int64_t value) {
  char digits[24];
  std::size_t at = sizeof digits;
  std::uint64_t rest = value < 0 ? -static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  do digits[--at] = static_cast<char>('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (value < 0) digits[--at] = '-';
  raw(digits + at, sizeof digits - at);
}

void JsonText::escaped(const char* text, std::size_t length, Style style, std::size_t room) {
  const unsigned char* bytes = reinterpret_cast<const unsigned char*>(text);
  const std::size_t limit = capacity_ > room ? capacity_ - room : 0;
  for (std::size_t at = 0; at < length;) {
    std::size_t run = 0;
    const std::size_t most = std::min(length - at, limit > size_ ? limit - size_ : 0);
    while (run < most && isPlain(bytes[at + run], style)) ++run;
    if (run > 0) {
      std::memcpy(buffer_ + size_, text + at, run);
      size_ += run;
      at += run;
      continue;
    }
    const std::size_t width = characterLength(bytes + at, length - at);
    char escape[kMaxEscape];
    std::size_t escapeLength = 0;
    if (width == 0) {
      escapeLength = unicodeEscape(escape, 0xfffd);
    } else if (width == 1) {
      escapeLength = asciiEscape(escape, bytes[at], style);
    } else if (width == 3 && style == Style::kDockerLog && bytes[at] == 0xe2 && bytes[at + 1] == 0x80 &&
               (bytes[at + 2] == 0xa8 || bytes[at + 2] == 0xa9)) {
      escapeLength = unicodeEscape(escape, 0x2000 + (bytes[at + 2] & 0x3f));
    }
    const char* piece = escapeLength != 0 ? escape : text + at;
    const std::size_t pieceLength = escapeLength != 0 ? escapeLength : width;
    if (size_ + pieceLength > limit) {
      truncated_ = true;
      return;
    }
    std::memcpy(buffer_ + size_, piece, pieceLength);
    size_ += pieceLength;
    at += width != 0 ? width : 1;
  }
}

void JsonText::string(const char* text, std::size_t room) {
  raw("\"", 1);
  escaped(text, std::strlen(text), Style::kPlain, room + 1);
  raw("\"", 1);
}

}  // namespace tsrun
