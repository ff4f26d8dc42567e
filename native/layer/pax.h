#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "layer/tar_format.h"

namespace tsrun {

/// The records of one PAX header that matter here.
struct PaxRecords {
  std::optional<std::string> path, linkPath;
  std::optional<std::uint64_t> size, uid, gid;
  std::optional<timespec> mtime;
  std::map<std::string, std::string> xattrs;  ///< SCHILY.xattr.*, without that prefix; values are bytes

  /// GNU's sparse files, versions 0.0, 0.1 (extents here) and 1.0 (extents at the start of the body).
  struct Sparse {
    std::string major, minor;
    std::optional<std::string> name;
    std::optional<std::uint64_t> realSize;
    std::vector<std::uint64_t> numbers;  ///< offset, size, offset, size, …
    bool present = false;
  } sparse;
};

/// Parses the body of a header of type x. Throws Failure(step::kLayerTar): a malformed record, or a NUL where
/// the value is text, is how two readers are made to see different entries.
PaxRecords parsePax(std::string_view body);

/// A global header (type g): default owner and time for what follows. Names and sizes in it are refused:
/// readers disagree on them.
void mergeGlobalPax(std::string_view body, PaxRecords& globals);

}  // namespace tsrun
