#pragma once
#include <sys/types.h>
#include <time.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tsrun {

inline constexpr std::size_t kTarBlock = 512;

/// A ustar header as it lies in the archive (POSIX.1-2001, pax); GNU and star share its first 257 bytes.
struct TarHeader {
  char name[100];
  char mode[8], uid[8], gid[8];
  char size[12], mtime[12];
  char checksum[8];
  char type;
  char linkName[100];
  char magic[8];  ///< magic and version
  char userName[32], groupName[32];
  char devMajor[8], devMinor[8];
  char prefix[155];
  char padding[12];
};
static_assert(sizeof(TarHeader) == kTarBlock);

/// Where GNU tar keeps the extents of a sparse file (type 'S'), in place of the prefix.
struct GnuSparseArea {
  char before[386];
  char extents[4][24];
  char isExtended;
  char realSize[12];
  char padding[17];
};
static_assert(sizeof(GnuSparseArea) == kTarBlock);

struct Extent {
  std::uint64_t offset = 0, size = 0;
};

enum class NodeKind { file, hardLink, symlink, charDevice, blockDevice, directory, fifo };

/// One member of an archive, its extended headers already merged in. Names are bytes.
struct TarEntry {
  NodeKind kind = NodeKind::file;
  std::string name, linkName;
  mode_t mode = 0;  ///< permission bits only
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime{};
  unsigned devMajor = 0, devMinor = 0;
  std::uint64_t bodySize = 0;  ///< bytes in the archive
  std::uint64_t fileSize = 0;  ///< bytes of the file; differs from bodySize for sparse files
  bool sparse = false;
  std::vector<Extent> extents;  ///< of a sparse file, ascending: where the body goes
  std::map<std::string, std::string> xattrs;
};

/// What the checksum field must hold: the sum of all bytes with the field itself read as blanks.
unsigned tarChecksum(const TarHeader& header);

}  // namespace tsrun
