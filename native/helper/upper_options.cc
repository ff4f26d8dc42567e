#include "helper/upper_options.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "layer/bytes.h"

namespace tsrun {
namespace {

/// NUL-separated absolute paths; a missing file is an empty list. Read before the jail.
std::set<std::string> readStubs(const std::string& path) {
  std::set<std::string> stubs;
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return stubs;
    fail("layer.stubs", path);
  }
  std::string text;
  char buffer[4096];
  while (const std::size_t got = readSome(file.get(), buffer, sizeof buffer, "layer.stubs", path))
    text.append(buffer, got);
  for (std::size_t at = 0; at < text.size();) {
    const std::string entry = text.c_str() + at;
    at += entry.size() + 1;
    stubs.insert(entry.substr(std::min(entry.find_first_not_of('/'), entry.size())));
  }
  return stubs;
}

}  // namespace

bool takeUpperOption(UpperRequest& request, const std::string& name, const std::string& value) {
  if (name == "--upper") {
    request.upper = value;
  } else if (name == "--lower") {
    request.lowers.push_back(value);
  } else if (name == "--stubs") {
    request.stubs = readStubs(value);
  } else {
    return false;
  }
  return true;
}

}  // namespace tsrun
