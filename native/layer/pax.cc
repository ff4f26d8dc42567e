#include "layer/pax.h"

#include "base/failure.h"
#include "layer/layer_steps.h"
#include "layer/limits.h"
#include "layer/tar_numbers.h"

namespace tsrun {
namespace {

constexpr std::string_view kXattr = "SCHILY.xattr.";
constexpr std::string_view kSparse = "GNU.sparse.";

[[noreturn]] void invalid(std::string_view key, const char* why) {
  throw Failure(step::kLayerTar, 0, std::string(key), std::string("archive/tar: invalid tar header: ") + why);
}

template <typename T>
T need(std::optional<T> value, std::string_view key) {
  if (!value) invalid(key, "malformed PAX value");
  return *std::move(value);
}

void sparseRecord(PaxRecords::Sparse& sparse, std::string_view key, std::string_view value) {
  const std::string_view name = key.substr(kSparse.size());
  sparse.present = true;
  const auto extentNumber = [&](std::string_view text) {
    if (sparse.numbers.size() >= 2 * limits::kSparseExtents) invalid(key, "too many extents");
    sparse.numbers.push_back(need(parseDecimal(text), key));
  };
  if (name == "major") {
    sparse.major = value;
  } else if (name == "minor") {
    sparse.minor = value;
  } else if (name == "name") {
    sparse.name = value;
  } else if (name == "size" || name == "realsize") {
    sparse.realSize = need(parseDecimal(value), key);
  } else if (name == "offset" || name == "numbytes") {
    if ((sparse.numbers.size() % 2 == 0) != (name == "offset")) invalid(key, "extent out of order");
    extentNumber(value);
  } else if (name == "map") {
    while (!value.empty()) {
      const std::size_t comma = value.find(',');
      extentNumber(value.substr(0, comma));
      value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
    }
  }
}

void record(PaxRecords& records, std::string_view key, std::string_view value) {
  if (key.starts_with(kXattr)) {
    records.xattrs[std::string(key.substr(kXattr.size()))] = value;
    return;
  }
  if (value.find('\0') != std::string_view::npos) invalid(key, "NUL in a PAX value");
  if (value.empty()) return;  // "as if the record were absent"
  if (key == "path") {
    records.path = value;
  } else if (key == "linkpath") {
    records.linkPath = value;
  } else if (key == "size") {
    records.size = need(parseDecimal(value), key);
  } else if (key == "uid") {
    records.uid = need(parseDecimal(value), key);
  } else if (key == "gid") {
    records.gid = need(parseDecimal(value), key);
  } else if (key == "mtime") {
    records.mtime = need(parsePaxTime(value), key);
  } else if (key.starts_with(kSparse)) {
    sparseRecord(records.sparse, key, value);
  }
}

/// "LENGTH KEY=VALUE\n", LENGTH counting the whole record.
void parseInto(PaxRecords& records, std::string_view body) {
  while (!body.empty()) {
    const std::size_t blank = body.substr(0, 12).find(' ');
    if (blank == std::string_view::npos) invalid("", "malformed PAX record");
    const auto length = parseDecimal(body.substr(0, blank));
    if (!length || *length <= blank + 1 || *length > body.size() || body[*length - 1] != '\n') {
      invalid("", "malformed PAX record");
    }
    const std::string_view text = body.substr(blank + 1, *length - blank - 2);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) invalid(text, "malformed PAX record");
    const std::string_view key = text.substr(0, equals);
    if (key.find('\0') != std::string_view::npos) invalid(key, "NUL in a PAX key");
    record(records, key, text.substr(equals + 1));
    body.remove_prefix(*length);
  }
}

}  // namespace

PaxRecords parsePax(std::string_view body) {
  PaxRecords records;
  parseInto(records, body);
  return records;
}

void mergeGlobalPax(std::string_view body, PaxRecords& globals) {
  parseInto(globals, body);
  if (globals.path || globals.linkPath || globals.size || globals.sparse.present || !globals.xattrs.empty()) {
    invalid("global header", "name, size or attributes in a global PAX header");
  }
}

}  // namespace tsrun
