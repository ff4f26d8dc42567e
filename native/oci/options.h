#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tsrun::oci {

/// One option of a verb, or of the program: `--name`, or `-s`.
struct Option {
  const char* name;
  const char* shortName = "";  ///< one letter; empty if there is none
  const char* value = "";      ///< what its value is called; empty if it takes none
  const char* help = "";
};

/// Parsed options and what else was there.
class Options {
 public:
  /// Takes options from `arguments`, from the place `at` on: as `--name value`, `--name=value`, `-s value` or
  /// `-svalue`. With `mixed` options may also follow other arguments, else the first of those ends them, as
  /// `--` does. Throws Failure(step::kUsage).
  static Options parse(const std::vector<Option>& known, const std::vector<std::string>& arguments,
                       std::size_t& at, bool mixed);

  bool has(const std::string& name) const { return values_.contains(name); }
  /// A switch; `--name=false` turns it off.
  bool flag(const std::string& name) const;
  std::optional<std::string> value(const std::string& name) const;
  std::string valueOr(const std::string& name, const std::string& absent) const;
  std::vector<std::string> values(const std::string& name) const;
  /// A number that is not negative. Throws Failure(step::kUsage).
  unsigned number(const std::string& name, unsigned absent, unsigned most) const;

  const std::vector<std::string>& rest() const { return rest_; }
  void setRest(std::vector<std::string> rest) { rest_ = std::move(rest); }

 private:
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> rest_;
};

/// The lines that help shows for options.
std::string helpOf(const std::vector<Option>& options);

}  // namespace tsrun::oci
