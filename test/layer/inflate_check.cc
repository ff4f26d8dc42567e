// Inflates the cases on fd 0 (each a little-endian length, then that many bytes), for inflate.test.ts. A line
// for each: the digest of what came out, or the reason why not. The room for each read goes round.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "base/failure.h"
#include "layer/inflate.h"
#include "layer/sha256.h"

namespace {

std::string inflated(int fd, std::size_t room) {
  using tsrun::Inflater;
  const auto input = std::make_unique<tsrun::InputStream>(fd);
  const auto inflater = tsrun::makeInflater(tsrun::sniff(*input), *input);
  // Of their exact sizes, so that a byte outside is seen.
  std::vector<std::unique_ptr<unsigned char[]>> chunks;
  for (int i = 0; i < 2; ++i) chunks.emplace_back(new unsigned char[Inflater::kFront + room]());
  tsrun::Sha256 sha;
  for (std::size_t i = 0;; ++i) {
    unsigned char* into = chunks[i % 2].get() + Inflater::kFront;
    const std::size_t got = inflater->read(into, room);
    sha.update(into, got);
    if (got < room) return sha.hex();
  }
}

}  // namespace

int main() {
  constexpr std::size_t kRooms[] = {1, 300, 4099, 256 << 10};
  std::vector<unsigned char> all;
  unsigned char buffer[65536];
  for (ssize_t got; (got = read(0, buffer, sizeof buffer)) > 0;) all.insert(all.end(), buffer, buffer + got);
  std::size_t number = 0;
  for (std::size_t at = 0; at + 4 <= all.size(); ++number) {
    std::uint32_t size = 0;
    std::memcpy(&size, all.data() + at, 4);
    const int fd = memfd_create("case", MFD_CLOEXEC);
    if (write(fd, all.data() + at + 4, size) != static_cast<ssize_t>(size)) return 2;
    lseek(fd, 0, SEEK_SET);
    at += 4 + size;
    try {
      std::puts(inflated(fd, std::max(kRooms[number % 4], std::size_t{size} / 4)).c_str());
    } catch (const tsrun::Failure& failure) {
      std::puts(("! " + failure.detail).c_str());
    }
    close(fd);
  }
}
