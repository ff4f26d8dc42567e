#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace tsrun {

/// Decoding tables of DEFLATE's prefix codes (RFC 1951). One 32-bit entry says all about the bits it is
/// indexed by:
///
///   bits 0-7    how many bits it takes, extra bits included
///   bits 8-11   of those, the code's own
///   bit  15     kSpecial: see the flags below
///   bits 16-31  a literal (with kLiteral), or the base of a length or a distance, or where a second table
///   begins
///
/// A code longer than the first index continues in a second table: kSpecial|kSubtable, whose index has as
/// many bits as bits 8-11 say.
namespace huffman {

inline constexpr std::uint32_t kLiteral = 1U << 31;
inline constexpr std::uint32_t kSpecial = 1U << 15;
inline constexpr std::uint32_t kSubtable = 1U << 14;
inline constexpr std::uint32_t kEndOfBlock = 1U << 13;  ///< neither of both: no code has these bits

inline constexpr unsigned kMaxCode = 15;
inline constexpr unsigned kLitLenBits = 11, kDistBits = 8, kPreBits = 7;
// What the worst set of lengths needs, by the counting of zlib's examples/enough.c: 2342, 402 and 128.
inline constexpr std::size_t kLitLenEntries = 2342, kDistEntries = 402, kPreEntries = 128;
inline constexpr unsigned kLitLens = 288, kDists = 32, kPres = 19;

constexpr unsigned takes(std::uint32_t entry) {
  return entry & 0xff;
}
constexpr unsigned codeBits(std::uint32_t entry) {
  return entry >> 8 & 15;
}
constexpr std::uint32_t base(std::uint32_t entry) {
  return entry >> 16;
}

enum class Alphabet { litlen, dist, pre };

/// Fills `table` for the code lengths of each symbol. False if they are no prefix code: more codes than there
/// is room for, or fewer, but for a single code of one bit or none at all (which any use of them then finds).
bool build(Alphabet alphabet, std::span<const std::uint8_t> lengths, std::span<std::uint32_t> table);

}  // namespace huffman
}  // namespace tsrun
