#pragma once
#include <map>
#include <string>
#include <vector>

#include "runtime/hooks.h"
#include "runtime/launch.h"
#include "runtime/spec.h"

namespace tsrun::oci {

/// A bundle's config.json: the spec, and what of it an OCI runtime alone acts on.
struct Bundle {
  std::string dir;   ///< absolute
  std::string text;  ///< of config.json
  Spec spec;         ///< relative paths in it made absolute
  Launch launch;     ///< nothing but what the spec says as well
  std::map<std::string, std::string> annotations;
  std::vector<Hook> prestart, createRuntime, createContainer, startContainer, poststart, poststop;
};

/// Reads `file` as the config.json of the bundle `dir`. Throws Failure(step::kHelperConfig).
Bundle readBundle(const std::string& dir, const std::string& file);

/// The size that its terminal begins with, if it says one.
std::optional<Launch::Size> consoleSizeOf(const Spec::Process& process);

}  // namespace tsrun::oci
