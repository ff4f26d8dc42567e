#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace tsrun {

/// `bytes` as a JSON string. Names in archives need not be UTF-8: a byte that is not part of a character is
/// written as the four characters \xNN.
std::string jsonText(std::string_view bytes);

/// A flat JSON object, built member by member.
class JsonObject {
 public:
  JsonObject& text(const char* name, std::string_view value);
  JsonObject& number(const char* name, std::uint64_t value);
  JsonObject& boolean(const char* name, bool value);
  /// `json`: an object as text.
  JsonObject& object(const char* name, const std::string& json) { return member(name, json); }
  std::string finish() const { return "{" + members_ + "}"; }

 private:
  JsonObject& member(const char* name, const std::string& json);
  std::string members_;
};

}  // namespace tsrun
