#pragma once
/// What the spec*.cc files share; nobody else includes it.
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "runtime/spec.h"

namespace tsrun::specfile {

using Json = nlohmann::json;

/// One JSON object of the spec. Almost every field of it is optional and unknown ones are ignored, as the OCI
/// asks; what is there must have the right type. Errors name the field by its whole path.
class Node {
 public:
  Node(const Json& value, std::string path) : value_(value), path_(std::move(path)) {
    if (!value.is_object())
      throw std::runtime_error((path_.empty() ? "the document" : path_) + " is not an object");
  }

  void read(const char* name, std::string& out) const {
    if (const Json* value = find(name)) out = textOf(*value, pathOf(name));
  }
  void read(const char* name, bool& out) const {
    const Json* value = find(name);
    if (value == nullptr) return;
    if (!value->is_boolean()) throw std::runtime_error(pathOf(name) + " is not a boolean");
    out = value->get<bool>();
  }
  void read(const char* name, std::optional<bool>& out) const {
    bool value = false;
    if (find(name) == nullptr) return;
    read(name, value);
    out = value;
  }
  template <typename T>
    requires std::is_integral_v<T>
  void read(const char* name, T& out) const {
    if (const Json* value = find(name)) out = numberOf<T>(*value, pathOf(name));
  }
  template <typename T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  void read(const char* name, std::optional<T>& out) const {
    if (const Json* value = find(name)) out = numberOf<T>(*value, pathOf(name));
  }
  void read(const char* name, std::vector<std::string>& out) const {
    eachValue(name, [&](const Json& value, const std::string& path) { out.push_back(textOf(value, path)); });
  }
  void read(const char* name, std::vector<unsigned>& out) const {
    eachValue(name, [&](const Json& value, const std::string& path) {
      out.push_back(numberOf<unsigned>(value, path));
    });
  }
  void read(const char* name, std::map<std::string, std::string>& out) const {
    const Json* value = find(name);
    if (value == nullptr) return;
    const Node node(*value, pathOf(name));
    for (const auto& [key, item] : value->items()) out[key] = textOf(item, node.pathOf(key.c_str()));
  }

  /// Calls `visit` with the object `name`, if it is there.
  void object(const char* name, auto visit) const {
    if (const Json* value = find(name)) visit(Node(*value, pathOf(name)));
  }
  /// Calls `visit` with each object of the list `name`.
  void each(const char* name, auto visit) const {
    eachValue(name, [&](const Json& value, const std::string& path) { visit(Node(value, path)); });
  }
  /// A one-letter field.
  void letter(const char* name, std::string_view allowed, char& out) const {
    std::string text(1, out);
    read(name, text);
    if (text.size() != 1 || allowed.find(text[0]) == std::string_view::npos)
      throw std::runtime_error(pathOf(name) + " is not one of " + std::string(allowed));
    out = text[0];
  }
  bool has(const char* name) const { return find(name) != nullptr; }
  /// The value itself as text of JSON; empty if it is not there.
  std::string document(const char* name) const {
    const Json* value = find(name);
    return value ? value->dump() : "";
  }
  /// Calls `visit` with each key and object of the object `name`.
  void entries(const char* name, auto visit) const {
    const Json* value = find(name);
    if (value == nullptr) return;
    const Node node(*value, pathOf(name));
    for (const auto& [key, item] : value->items()) visit(key, Node(item, node.pathOf(key.c_str())));
  }
  void need(const char* name) const {
    if (find(name) == nullptr) throw std::runtime_error(pathOf(name) + " is missing");
  }

 private:
  std::string pathOf(const char* name) const { return path_.empty() ? name : path_ + "." + name; }

  const Json* find(const char* name) const {
    const auto found = value_.find(name);
    return found == value_.end() || found->is_null() ? nullptr : &*found;
  }

  void eachValue(const char* name, auto visit) const {
    const Json* list = find(name);
    if (list == nullptr) return;
    if (!list->is_array()) throw std::runtime_error(pathOf(name) + " is not a list");
    std::size_t index = 0;
    for (const Json& value : *list) visit(value, pathOf(name) + "[" + std::to_string(index++) + "]");
  }

  /// A NUL would cut the text short on its way into a system call, and name something else.
  static std::string textOf(const Json& value, const std::string& path) {
    if (!value.is_string()) throw std::runtime_error(path + " is not a string");
    std::string text = value.get<std::string>();
    if (text.find('\0') != std::string::npos) throw std::runtime_error(path + " contains a NUL");
    return text;
  }

  /// Checked against the range of T: a number that does not fit must not wrap round to another
  /// (CVE-2024-40635).
  template <typename T>
  static T numberOf(const Json& value, const std::string& path) {
    bool fits = false;
    if (value.is_number_unsigned())
      fits = value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    else if (value.is_number_integer())
      fits = std::is_signed_v<T> &&
             value.get<std::int64_t>() >= static_cast<std::int64_t>(std::numeric_limits<T>::min());
    if (!fits) throw std::runtime_error(path + " is not a whole number in range");
    return value.get<T>();
  }

  const Json& value_;
  std::string path_;
};

void readLinux(const Node& node, Spec& spec);
Spec::Resources resourcesOf(const Node& node);
void readMappings(const Node& node, const char* name, std::vector<Spec::IdMapping>& out);

}  // namespace tsrun::specfile
