// Hashes fd 0 with the named engine, in pieces of the given size, for sha256.test.ts.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "layer/sha256.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const bool portable = std::string(argv[1]) == "portable";
  tsrun::Sha256 sha(portable ? tsrun::Sha256::Engine::portable : tsrun::Sha256::Engine::best);
  std::vector<char> all;
  char buffer[4096];
  for (ssize_t got; (got = read(0, buffer, sizeof buffer)) > 0;) all.insert(all.end(), buffer, buffer + got);
  const std::size_t piece = std::strtoul(argv[2], nullptr, 10);
  for (std::size_t at = 0; at < all.size(); at += piece)
    sha.update(all.data() + at, std::min(piece, all.size() - at));
  std::puts(sha.hex().c_str());
}
