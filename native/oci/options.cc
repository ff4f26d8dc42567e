#include "oci/options.h"

#include <cerrno>
#include <charconv>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun::oci {
namespace {

const Option& find(const std::vector<Option>& known, const std::string& name) {
  for (const Option& option : known)
    if (name == option.name || (name.size() == 1 && name == option.shortName)) return option;
  throw Failure(step::kUsage, 0, (name.size() == 1 ? "-" : "--") + name, "there is no such option");
}

}  // namespace

Options Options::parse(const std::vector<Option>& known, const std::vector<std::string>& arguments,
                       std::size_t& at, bool mixed) {
  Options result;
  for (; at < arguments.size(); ++at) {
    const std::string& word = arguments[at];
    if (word == "--") {
      ++at;
      break;
    }
    if (word.size() < 2 || word[0] != '-') {
      if (!mixed) break;
      result.rest_.push_back(word);
      continue;
    }
    std::string name = word.substr(word[1] == '-' ? 2 : 1);
    std::optional<std::string> value;
    const std::size_t equals = name.find('=');
    if (equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (word[1] != '-' && name.size() > 1) {
      // -uUSER; or a long name behind one dash, which some callers write
      bool isLong = false;
      for (const Option& option : known) isLong |= name == option.name;
      if (!isLong && *find(known, name.substr(0, 1)).value != '\0') {
        value = name.substr(1);
        name.resize(1);
      }
    }
    const Option& option = find(known, name);
    if (*option.value == '\0') {
      if (!value) value = "true";
    } else if (!value) {
      if (++at >= arguments.size()) throw Failure(step::kUsage, 0, "--" + name, "its value is missing");
      value = arguments[at];
    }
    result.values_[option.name].push_back(*value);
  }
  for (; mixed && at < arguments.size(); ++at) result.rest_.push_back(arguments[at]);
  return result;
}

bool Options::flag(const std::string& name) const {
  const auto text = value(name);
  if (!text || *text == "false" || *text == "0") return false;
  if (*text == "true" || *text == "1") return true;
  throw Failure(step::kUsage, 0, "--" + name + "=" + *text, "neither true nor false");
}

std::optional<std::string> Options::value(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second.back();
}

std::string Options::valueOr(const std::string& name, const std::string& absent) const {
  return value(name).value_or(absent);
}

std::vector<std::string> Options::values(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

unsigned Options::number(const std::string& name, unsigned absent, unsigned most) const {
  const auto text = value(name);
  if (!text) return absent;
  unsigned result = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, result);
  if (error != std::errc() || stop != end || result > most)
    throw Failure(step::kUsage, 0, "--" + name + " " + *text, "not a number up to " + std::to_string(most));
  return result;
}

std::string helpOf(const std::vector<Option>& options) {
  std::string text;
  for (const Option& option : options) {
    std::string line = "   --" + std::string(option.name);
    if (*option.value != '\0') line += " " + std::string(option.value);
    if (*option.shortName != '\0') line += ", -" + std::string(option.shortName);
    line.resize(std::max<std::size_t>(line.size() + 2, 36), ' ');
    text += line + option.help + "\n";
  }
  return text;
}

}  // namespace tsrun::oci
