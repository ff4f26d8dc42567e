#include "layer/huffman.h"

#include <algorithm>

namespace tsrun::huffman {
namespace {

constexpr std::uint16_t kLengthBase[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                         31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr std::uint8_t kLengthExtra[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                         2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
constexpr unsigned kLengths = std::size(kLengthBase), kDistances = 30, kEob = 256;

constexpr std::uint32_t pack(std::uint32_t base, unsigned extra) {
  return base << 16 | extra;
}

/// What `symbol` means, and its extra bits as what it takes so far.
constexpr std::uint32_t meaning(Alphabet alphabet, unsigned symbol) {
  switch (alphabet) {
    case Alphabet::pre:
      return pack(symbol, 0);
    case Alphabet::dist: {
      if (symbol >= kDistances) return kSpecial;
      const unsigned extra = symbol < 4 ? 0 : symbol / 2 - 1;
      return pack(symbol < 4 ? symbol + 1 : ((2 + symbol % 2) << extra) + 1, extra);
    }
    case Alphabet::litlen:
      break;
  }
  if (symbol < kEob) return kLiteral | pack(symbol, 0);
  if (symbol == kEob) return kSpecial | kEndOfBlock;
  const unsigned length = symbol - kEob - 1;
  return length < kLengths ? pack(kLengthBase[length], kLengthExtra[length]) : kSpecial;
}

constexpr unsigned indexBits(Alphabet alphabet) {
  switch (alphabet) {
    case Alphabet::litlen:
      return kLitLenBits;
    case Alphabet::dist:
      return kDistBits;
    case Alphabet::pre:
      break;
  }
  return kPreBits;
}

/// The next code of `bits` bits, in the order that the stream has them: the first bit is the lowest.
unsigned nextReversed(unsigned code, unsigned bits) {
  unsigned bit = 1U << (bits - 1);
  for (; (code & bit) != 0; bit >>= 1) code ^= bit;
  return code | bit;
}

struct Codes {
  std::uint16_t counts[kMaxCode + 1] = {};
  std::uint16_t symbols[kLitLens] = {};  ///< in the order of their codes
  unsigned used = 0, longest = 0;
  bool valid = false;

  explicit Codes(std::span<const std::uint8_t> lengths, bool mayBeShort) {
    for (const std::uint8_t length : lengths) ++counts[length];
    used = static_cast<unsigned>(lengths.size()) - counts[0];
    counts[0] = 0;
    int room = 1;
    std::uint16_t starts[kMaxCode + 2] = {};
    for (unsigned bits = 1; bits <= kMaxCode; ++bits) {
      room = 2 * room - counts[bits];
      if (room < 0) return;
      if (counts[bits] > 0) longest = bits;
      starts[bits + 1] = starts[bits] + counts[bits];
    }
    valid = room == 0 || used == 0 || (mayBeShort && longest == 1);
    for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      if (lengths[symbol] > 0) symbols[starts[lengths[symbol]]++] = static_cast<std::uint16_t>(symbol);
    }
  }
};

/// How many bits index the second table of the codes that begin like this one, which has `bits` bits: as many
/// as fill it.
unsigned subtableBits(const Codes& codes, unsigned bits, unsigned first, unsigned done) {
  unsigned sub = bits - first;
  int room = (1 << sub) - (codes.counts[bits] - static_cast<int>(done));
  while (room > 0 && first + sub < codes.longest) {
    ++sub;
    room = 2 * room - codes.counts[first + sub];
  }
  return sub;
}

}  // namespace

bool build(Alphabet alphabet, std::span<const std::uint8_t> lengths, std::span<std::uint32_t> table) {
  const Codes codes(lengths, alphabet != Alphabet::pre);
  if (!codes.valid) return false;
  const unsigned first = indexBits(alphabet);
  const std::size_t size = std::size_t{1} << first;
  std::fill_n(table.begin(), size, kSpecial);

  unsigned code = 0, prefix = ~0U, sub = 0;
  std::size_t subStart = 0, end = size;
  const std::uint16_t* symbol = codes.symbols;
  for (unsigned bits = 1; bits <= codes.longest; ++bits) {
    for (unsigned i = 0; i < codes.counts[bits]; ++i) {
      const std::uint32_t what = meaning(alphabet, *symbol++);
      std::size_t from = code, step = std::size_t{1} << bits, to = size, below = 0;
      if (bits > first) {
        if ((code & (size - 1)) != prefix) {
          prefix = code & (size - 1);
          sub = subtableBits(codes, bits, first, i);
          subStart = end;
          end += std::size_t{1} << sub;
          if (end > table.size()) return false;
          table[prefix] =
              kSpecial | kSubtable | static_cast<std::uint32_t>(subStart) << 16 | sub << 8 | first;
        }
        below = first;
        from = subStart + (code >> first);
        step = std::size_t{1} << (bits - first);
        to = end;
      }
      const unsigned own = bits - static_cast<unsigned>(below);
      const std::uint32_t entry = what + (own << 8) + own;
      for (std::size_t at = from; at < to; at += step) table[at] = entry;
      if (code != (1U << bits) - 1) code = nextReversed(code, bits);
    }
  }
  return true;
}

}  // namespace tsrun::huffman
