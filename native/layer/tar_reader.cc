#include "layer/tar_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/failure.h"
#include "layer/layer_steps.h"
#include "layer/limits.h"
#include "layer/tar_numbers.h"

namespace tsrun {
namespace {

[[noreturn]] void invalid(const std::string& name, const char* why) {
  throw Failure(step::kLayerTar, 0, name, std::string("archive/tar: invalid tar header: ") + why);
}

[[noreturn]] void truncated() {
  throw Failure(step::kLayerTar, 0, "layer", "unexpected EOF");
}

template <std::size_t N>
std::string_view field(const char (&bytes)[N]) {
  return {bytes, N};
}

template <std::size_t N>
std::string text(const char (&bytes)[N]) {
  return {bytes, ::strnlen(bytes, N)};
}

template <std::size_t N>
std::int64_t number(const char (&bytes)[N], const std::string& name) {
  const auto value = parseTarNumber(field(bytes));
  if (!value) invalid(name, "malformed number");
  return *value;
}

/// Owners fit 32 bits; the last value is the system calls' "leave it".
std::uint32_t owner(std::int64_t value, const std::string& name) {
  if (value < 0 || value >= 0xffffffffLL) invalid(name, "owner out of range");
  return static_cast<std::uint32_t>(value);
}

bool isUstar(const TarHeader& header) {
  return std::memcmp(header.magic, "ustar\0", 6) == 0;
}
bool isGnu(const TarHeader& header) {
  return std::memcmp(header.magic, "ustar  ", 8) == 0;
}

void verifyChecksum(const TarHeader& header) {
  const auto stated = parseTarNumber(field(header.checksum));
  int signedSum = 8 * ' ';  // old writers summed signed bytes
  const auto* bytes = reinterpret_cast<const signed char*>(&header);
  for (std::size_t i = 0; i < kTarBlock; ++i) signedSum += i >= 148 && i < 156 ? 0 : bytes[i];
  if (!stated || (*stated != tarChecksum(header) && *stated != signedSum))
    invalid(text(header.name), "bad checksum");
}

NodeKind kindOf(const TarHeader& header, const std::string& name) {
  switch (header.type) {
    case '\0':
    case '0':
    case '7':
      return name.ends_with('/') ? NodeKind::directory : NodeKind::file;
    case '1':
      return NodeKind::hardLink;
    case '2':
      return NodeKind::symlink;
    case '3':
      return NodeKind::charDevice;
    case '4':
      return NodeKind::blockDevice;
    case '5':
      return NodeKind::directory;
    case '6':
      return NodeKind::fifo;
    case 'S':
      return NodeKind::file;
    default:
      invalid(name, "unhandled entry type");
  }
}

/// Checks the map of a sparse file and hands it to the entry.
void setExtents(TarEntry& entry, const std::vector<std::uint64_t>& numbers) {
  if (numbers.size() % 2 != 0) invalid(entry.name, "odd sparse map");
  std::uint64_t end = 0, total = 0;
  entry.extents.clear();
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    const Extent extent{numbers[i], numbers[i + 1]};
    if (extent.offset < end || extent.size > entry.fileSize || extent.offset > entry.fileSize - extent.size) {
      invalid(entry.name, "sparse map out of order");
    }
    end = extent.offset + extent.size;
    total += extent.size;
    if (extent.size > 0) entry.extents.push_back(extent);
  }
  if (total != entry.bodySize) invalid(entry.name, "sparse map does not match the size");
  entry.sparse = true;
}

}  // namespace

unsigned tarChecksum(const TarHeader& header) {
  unsigned sum = 8 * ' ';
  const auto* bytes = reinterpret_cast<const unsigned char*>(&header);
  for (std::size_t i = 0; i < kTarBlock; ++i) sum += i >= 148 && i < 156 ? 0 : bytes[i];
  return sum;
}

/// False if the stream ends before the block; a part of one is an error.
bool TarReader::readBlock(void* block) {
  std::size_t filled = 0;
  while (filled < kTarBlock) {
    const Bytes next = stream_.peek();
    if (next.empty()) {
      if (filled == 0) return false;
      truncated();
    }
    const std::size_t take = std::min(next.size(), kTarBlock - filled);
    std::memcpy(static_cast<char*>(block) + filled, next.data(), take);
    stream_.consume(take);
    filled += take;
  }
  return true;
}

/// Two blocks of zeros end the archive; so does the end of the stream. A lone one in the middle is an error.
bool TarReader::readHeader(TarHeader& header) {
  static constexpr char kZeros[kTarBlock] = {};
  if (!readBlock(&header)) return false;
  if (std::memcmp(&header, kZeros, kTarBlock) != 0) {
    verifyChecksum(header);
    return true;
  }
  if (readBlock(&header) && std::memcmp(&header, kZeros, kTarBlock) != 0) invalid("", "lone zero block");
  return false;
}

Bytes TarReader::body() {
  if (left_ == 0) return {};
  const Bytes next = stream_.peek();
  if (next.empty()) truncated();
  const Bytes piece = next.first(std::min<std::uint64_t>(next.size(), left_));
  stream_.consume(piece.size());
  left_ -= piece.size();
  return piece;
}

void TarReader::skipBody() {
  left_ += std::exchange(padding_, 0);
  while (!body().empty()) {
  }
}

void TarReader::drain() {
  for (Bytes next = stream_.peek(); !next.empty(); next = stream_.peek()) stream_.consume(next.size());
}

/// The body of a header that describes the next one.
std::string TarReader::readMeta(const TarHeader& header) {
  const std::string name = text(header.name);
  const std::int64_t size = number(header.size, name);
  if (size < 0 || static_cast<std::uint64_t>(size) > limits::kMeta)
    invalid(name, "extended header too large");
  left_ = static_cast<std::uint64_t>(size);
  padding_ = (kTarBlock - left_ % kTarBlock) % kTarBlock;
  std::string content;
  for (Bytes piece = body(); !piece.empty(); piece = body()) {
    content.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  }
  skipBody();
  return content;
}

bool TarReader::next(TarEntry& entry) {
  skipBody();
  TarHeader header;
  while (readHeader(header)) {
    switch (header.type) {
      case 'x':
      case 'X':
        pax_ = parsePax(readMeta(header));
        break;
      case 'g':
        mergeGlobalPax(readMeta(header), globals_);
        break;
      case 'L':
        longName_ = readMeta(header).c_str();  // up to the first NUL
        break;
      case 'K':
        longLink_ = readMeta(header).c_str();
        break;
      case 'V':  // the name of a GNU volume
        readMeta(header);
        break;
      default:
        fill(header, entry);
        pax_.reset();
        longName_.reset();
        longLink_.reset();
        return true;
    }
  }
  if (pax_ || longName_ || longLink_) truncated();
  return false;
}

void TarReader::fill(const TarHeader& header, TarEntry& entry) {
  entry = TarEntry{};
  names(header, entry);
  entry.kind = kindOf(header, entry.name);
  entry.mode = static_cast<mode_t>(number(header.mode, entry.name) & 07777);
  const auto pick = [&](auto PaxRecords::*key) {
    return pax_ && (*pax_).*key ? (*pax_).*key : globals_.*key;
  };
  const auto uid = pick(&PaxRecords::uid), gid = pick(&PaxRecords::gid);
  entry.uid = owner(uid ? static_cast<std::int64_t>(*uid) : number(header.uid, entry.name), entry.name);
  entry.gid = owner(gid ? static_cast<std::int64_t>(*gid) : number(header.gid, entry.name), entry.name);
  entry.mtime = pick(&PaxRecords::mtime).value_or(timespec{number(header.mtime, entry.name), 0});
  if (entry.kind == NodeKind::charDevice || entry.kind == NodeKind::blockDevice) {
    const std::int64_t major = number(header.devMajor, entry.name),
                       minor = number(header.devMinor, entry.name);
    if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff)
      invalid(entry.name, "device out of range");
    entry.devMajor = static_cast<unsigned>(major);
    entry.devMinor = static_cast<unsigned>(minor);
  }
  if (pax_) entry.xattrs = std::move(pax_->xattrs);
  sizes(header, entry);
  sparse(header, entry);
}

void TarReader::names(const TarHeader& header, TarEntry& entry) {
  entry.name = text(header.name);
  if (isUstar(header) && header.prefix[0] != '\0') {
    // star keeps times in the last 24 bytes of the prefix and says so in the last four of the block.
    const bool star = std::memcmp(header.padding + 8, "tar\0", 4) == 0;
    const std::size_t room = star ? 131 : sizeof header.prefix;
    entry.name = std::string(header.prefix, ::strnlen(header.prefix, room)) + '/' + entry.name;
  }
  entry.linkName = text(header.linkName);
  const auto override = [&](std::string& name, const auto& gnu, const auto& pax) {
    if (gnu && pax && *gnu != *pax) invalid(*pax, "two different long names");
    if (gnu) name = *gnu;
    if (pax) name = *pax;
  };
  override(entry.name, longName_, pax_ ? pax_->path : std::nullopt);
  override(entry.linkName, longLink_, pax_ ? pax_->linkPath : std::nullopt);
  // The real name of a sparse file; its path is a made-up one for readers that do not know the format.
  if (pax_ && pax_->sparse.name) entry.name = *pax_->sparse.name;
}

void TarReader::sizes(const TarHeader& header, TarEntry& entry) {
  const std::int64_t stated = number(header.size, entry.name);
  if (stated < 0) invalid(entry.name, "negative size");
  std::uint64_t size = pax_ && pax_->size ? *pax_->size : static_cast<std::uint64_t>(stated);
  if (entry.kind == NodeKind::hardLink && !(pax_ && pax_->size))
    size = 0;  // old writers repeat the target's size
  // Some readers skip such a body and some do not see it: what is a header to one is content to the other.
  if (entry.kind != NodeKind::file && size > 0) invalid(entry.name, "a body where none may be");
  if (size > limits::kTarBytes) invalid(entry.name, "size out of range");
  entry.bodySize = entry.fileSize = left_ = size;
  padding_ = (kTarBlock - size % kTarBlock) % kTarBlock;
}

void TarReader::sparse(const TarHeader& header, TarEntry& entry) {
  if (header.type == 'S') {
    if (!isGnu(header)) invalid(entry.name, "sparse entry without GNU magic");
    gnuSparse(header, entry);
    return;
  }
  if (!pax_ || !pax_->sparse.present) return;
  const PaxRecords::Sparse& records = pax_->sparse;
  if (entry.kind != NodeKind::file || !records.realSize) invalid(entry.name, "incomplete sparse records");
  entry.fileSize = *records.realSize;
  if (records.major == "1" && records.minor == "0") {
    paxSparseFromBody(entry);
  } else if (records.major.empty() || records.major == "0") {
    setExtents(entry, records.numbers);
  } else {
    invalid(entry.name, "unknown sparse format");
  }
}

/// Type S: four extents in the header, 21 in each block that follows it. `size` counts the data only.
void TarReader::gnuSparse(const TarHeader& header, TarEntry& entry) {
  GnuSparseArea area;
  std::memcpy(&area, &header, sizeof area);
  const std::int64_t realSize = number(area.realSize, entry.name);
  if (realSize < 0) invalid(entry.name, "negative size");
  entry.fileSize = static_cast<std::uint64_t>(realSize);
  std::vector<std::uint64_t> numbers;
  const auto take = [&](const char(&extent)[24]) {
    if (extent[0] == '\0') return;
    const auto offset = parseTarNumber({extent, 12}), size = parseTarNumber({extent + 12, 12});
    if (!offset || !size || *offset < 0 || *size < 0) invalid(entry.name, "malformed sparse map");
    if (numbers.size() >= 2 * limits::kSparseExtents) invalid(entry.name, "too many extents");
    numbers.push_back(static_cast<std::uint64_t>(*offset));
    numbers.push_back(static_cast<std::uint64_t>(*size));
  };
  for (const auto& extent : area.extents) take(extent);
  struct {
    char extents[21][24];
    char isExtended;
    char padding[7];
  } more;
  static_assert(sizeof more == kTarBlock);
  for (bool again = area.isExtended != 0; again; again = more.isExtended != 0) {
    if (!readBlock(&more)) truncated();
    for (const auto& extent : more.extents) take(extent);
  }
  setExtents(entry, numbers);
}

/// One decimal number and a newline from the map at the start of the body.
std::uint64_t TarReader::sparseNumber(std::string& block) {
  std::size_t newline;
  while ((newline = block.find('\n')) == std::string::npos) {
    if (left_ < kTarBlock || block.size() > 32) invalid("", "malformed sparse map");
    char more[kTarBlock];
    if (!readBlock(more)) truncated();
    left_ -= kTarBlock;
    block.append(more, kTarBlock);
  }
  const auto value = parseDecimal(std::string_view(block).substr(0, newline));
  if (!value) invalid("", "malformed sparse map");
  block.erase(0, newline + 1);
  return *value;
}

/// PAX 1.0: the body begins with "count\n" and count times "offset\nsize\n", padded to a block; it counts in
/// the size.
void TarReader::paxSparseFromBody(TarEntry& entry) {
  std::string block;
  const std::uint64_t count = sparseNumber(block);
  if (count > limits::kSparseExtents) invalid(entry.name, "too many extents");
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = 0; i < 2 * count; ++i) numbers.push_back(sparseNumber(block));
  entry.bodySize = left_;
  setExtents(entry, numbers);
}

}  // namespace tsrun
