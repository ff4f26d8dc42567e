#include "layer/tar_writer.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "layer/layer_steps.h"

namespace tsrun {
namespace {

template <std::size_t N>
void putText(char (&field)[N], std::string_view text) {
  std::memcpy(field, text.data(), std::min(text.size(), N));
}

/// Octal digits that fill the field up to its final NUL. False if they do not fit (then it stays zero).
template <std::size_t N>
bool putNumber(char (&field)[N], std::int64_t value) {
  const bool fits = value >= 0 && static_cast<std::uint64_t>(value) < 1ULL << (3 * (N - 1));
  std::snprintf(field, N, "%0*llo", static_cast<int>(N - 1),
                fits ? static_cast<unsigned long long>(value) : 0ULL);
  return fits;
}

/// Splits a long name between prefix and name. False if no slash is in the right place.
bool putName(TarHeader& header, const std::string& name) {
  if (name.size() <= sizeof header.name) {
    putText(header.name, name);
    return true;
  }
  // The slash itself is in neither field; what follows must not be empty.
  const std::size_t latest = std::min(sizeof header.prefix, name.size() - 2);
  const std::size_t slash = name.rfind('/', latest);
  if (slash == std::string::npos || slash == 0 || name.size() - slash - 1 > sizeof header.name) return false;
  putText(header.prefix, std::string_view(name).substr(0, slash));
  putText(header.name, std::string_view(name).substr(slash + 1));
  return true;
}

/// "LENGTH KEY=VALUE\n": the length counts its own digits.
std::string paxRecord(const std::string& key, const std::string& value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) length = rest + std::to_string(length).size();
  return std::to_string(length) + ' ' + key + '=' + value + '\n';
}

/// A negative time is seconds towards the past plus a fraction towards the future; its text is one signed
/// number.
std::string paxTime(const timespec& time) {
  std::int64_t seconds = time.tv_sec;
  long nanos = time.tv_nsec;
  const bool negative = seconds < 0;
  if (negative) {
    seconds = -seconds;
    if (nanos > 0) {
      --seconds;
      nanos = 1'000'000'000 - nanos;
    }
  }
  std::string text = (negative ? "-" : "") + std::to_string(seconds);
  if (nanos == 0) return text;
  std::string fraction = std::to_string(1'000'000'000 + nanos).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return text + '.' + fraction;
}

char typeOf(NodeKind kind) {
  switch (kind) {
    case NodeKind::hardLink:
      return '1';
    case NodeKind::symlink:
      return '2';
    case NodeKind::charDevice:
      return '3';
    case NodeKind::blockDevice:
      return '4';
    case NodeKind::directory:
      return '5';
    case NodeKind::fifo:
      return '6';
    case NodeKind::file:
      break;
  }
  return '0';
}

void seal(TarHeader& header) {
  std::memcpy(header.magic, "ustar\00000", sizeof header.magic);
  std::snprintf(header.checksum, sizeof header.checksum, "%06o", tarChecksum(header));
  header.checksum[7] = ' ';
}

}  // namespace

void TarWriter::put(const void* data, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  sha_.update(bytes, size);
  size_ += size;
  if (buffer_.size() + size > kBuffer) flush();
  if (size >= kBuffer) {
    write(bytes, size);
  } else {
    buffer_.insert(buffer_.end(), bytes, bytes + size);
  }
}

void TarWriter::flush() {
  write(buffer_.data(), buffer_.size());
  buffer_.clear();
}

void TarWriter::write(const unsigned char* data, std::size_t size) {
  // The copy first: its reader works while we wait for the disk.
  if (copy_ >= 0) writeAll(copy_, data, size, step::kLayerWrite, "layer");
  writeAll(fd_, data, size, step::kLayerWrite, "layer");
}

void TarWriter::header(const TarEntry& entry) {
  TarHeader header{};
  std::map<std::string, std::string> pax;  // sorted by key
  header.type = typeOf(entry.kind);
  if (!putName(header, entry.name)) {
    pax["path"] = entry.name;
    putText(header.name, entry.name);
  }
  if (entry.linkName.size() > sizeof header.linkName) pax["linkpath"] = entry.linkName;
  putText(header.linkName, entry.linkName);
  putNumber(header.mode, entry.mode & 07777);
  if (!putNumber(header.uid, entry.uid)) pax["uid"] = std::to_string(entry.uid);
  if (!putNumber(header.gid, entry.gid)) pax["gid"] = std::to_string(entry.gid);
  if (!putNumber(header.size, static_cast<std::int64_t>(entry.fileSize)))
    pax["size"] = std::to_string(entry.fileSize);
  if (!putNumber(header.mtime, entry.mtime.tv_sec) || entry.mtime.tv_nsec != 0)
    pax["mtime"] = paxTime(entry.mtime);
  if (entry.kind == NodeKind::charDevice || entry.kind == NodeKind::blockDevice) {
    putNumber(header.devMajor, entry.devMajor);
    putNumber(header.devMinor, entry.devMinor);
  }
  for (const auto& [name, value] : entry.xattrs) pax["SCHILY.xattr." + name] = value;

  std::string records;
  for (const auto& [key, value] : pax) records += paxRecord(key, value);
  if (!records.empty()) paxHeader(records, entry.name);
  seal(header);
  put(&header, sizeof header);
}

void TarWriter::paxHeader(const std::string& records, const std::string& name) {
  TarHeader header{};
  std::string base = name;
  while (base.ends_with('/')) base.pop_back();
  base = base.substr(base.rfind('/') + 1);
  putText(header.name, "PaxHeaders.0/" + base.substr(0, 80));
  header.type = 'x';
  putNumber(header.mode, 0644);
  putNumber(header.uid, 0);
  putNumber(header.gid, 0);
  putNumber(header.size, static_cast<std::int64_t>(records.size()));
  putNumber(header.mtime, 0);
  seal(header);
  put(&header, sizeof header);
  put(records.data(), records.size());
  endBody(records.size());
}

void TarWriter::body(Bytes bytes) {
  put(bytes.data(), bytes.size());
}

void TarWriter::pad(std::uint64_t size) {
  static constexpr unsigned char kZeros[4096] = {};
  while (size > 0) {
    const std::size_t part = std::min<std::uint64_t>(size, sizeof kZeros);
    put(kZeros, part);
    size -= part;
  }
}

void TarWriter::finish() {
  pad(2 * kTarBlock);
  flush();
}

}  // namespace tsrun
