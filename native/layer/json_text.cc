#include "layer/json_text.h"

#include <cstdio>

namespace tsrun {
namespace {

/// Length of the well-formed UTF-8 character at the start of `bytes`, 0 if there is none.
std::size_t characterLength(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  const bool bad = (lead == 0xe0 && at(1) < 0xa0) || (lead == 0xed && at(1) > 0x9f) ||
                   (lead == 0xf0 && at(1) < 0x90) || (lead == 0xf4 && at(1) > 0x8f);
  return bad ? 0 : length;
}

}  // namespace

std::string jsonText(std::string_view bytes) {
  std::string text = "\"";
  char escape[8];
  while (!bytes.empty()) {
    const std::size_t length = characterLength(bytes);
    const auto first = static_cast<unsigned char>(bytes[0]);
    if (length == 0) {
      std::snprintf(escape, sizeof escape, "\\\\x%02x", first);
      text += escape;
    } else if (first == '"' || first == '\\') {
      text += '\\';
      text += bytes[0];
    } else if (first < 0x20 || first == 0x7f) {
      std::snprintf(escape, sizeof escape, "\\u%04x", first);
      text += escape;
    } else {
      text += bytes.substr(0, length);
    }
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return text + '"';
}

JsonObject& JsonObject::member(const char* name, const std::string& json) {
  if (!members_.empty()) members_ += ',';
  members_ += jsonText(name) + ':' + json;
  return *this;
}

JsonObject& JsonObject::text(const char* name, std::string_view value) {
  return member(name, jsonText(value));
}
JsonObject& JsonObject::number(const char* name, std::uint64_t value) {
  return member(name, std::to_string(value));
}
JsonObject& JsonObject::boolean(const char* name, bool value) {
  return member(name, value ? "true" : "false");
}

}  // namespace tsrun
