#include "layer/deflate.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/failure.h"
#include "layer/layer_steps.h"

namespace tsrun {
namespace {

using huffman::codeBits;
using huffman::kEndOfBlock;
using huffman::kLiteral;
using huffman::kSpecial;
using huffman::kSubtable;
using huffman::takes;

constexpr std::size_t kMaxMatch = 258;
/// What one turn of the fast loop may take and leave: three refills of eight bytes; three literals, a match,
/// and the bytes that copying by words writes past it.
constexpr std::size_t kInputMargin = 32, kOutputMargin = 3 + kMaxMatch + 32;
/// The longest block header: 14 bits, 19 lengths of 3, 320 of a code of 7 with 7 more.
constexpr std::size_t kHeader = 1024;

[[noreturn, gnu::cold, gnu::noinline]] void invalid(const char* what) {
  throw Failure(step::kLayerInflate, 0, "layer", std::string("gzip: invalid ") + what);
}

[[noreturn, gnu::cold, gnu::noinline]] void cut() {
  throw Failure(step::kLayerInflate, 0, "layer", "unexpected EOF");
}

template <typename Word>
[[gnu::always_inline]] inline Word load(const unsigned char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

template <typename Word>
[[gnu::always_inline]] inline void store(unsigned char* to, Word word) {
  std::memcpy(to, &word, sizeof word);
}

struct Sixteen {
  std::uint64_t low, high;
};

[[gnu::always_inline]] inline std::uint64_t loadBits(const unsigned char* from) {
  const auto word = load<std::uint64_t>(from);
  return std::endian::native == std::endian::little ? word : __builtin_bswap64(word);
}

[[gnu::always_inline]] inline std::uint64_t lowest(std::uint64_t value, unsigned bits) {
  return value & ((std::uint64_t{1} << bits) - 1);
}

/// Copies a match by words; up to 15 bytes past its end are written.
[[gnu::always_inline]] inline void copyMatch(unsigned char* to, std::size_t distance, std::size_t length) {
  const unsigned char* from = to - distance;
  unsigned char* const end = to + length;
  if (distance >= sizeof(Sixteen)) {
    do {
      store(to, load<Sixteen>(from));
      to += sizeof(Sixteen);
      from += sizeof(Sixteen);
    } while (to < end);
  } else if (distance == 1) {
    const std::uint64_t word = 0x0101010101010101U * *from;
    do {
      store(to, word);
      to += sizeof word;
    } while (to < end);
  } else {
    // A word at a time, of which `distance` bytes count: behind them the pattern begins again.
    const std::size_t stride = std::min(distance, sizeof(std::uint64_t));
    do {
      store(to, load<std::uint64_t>(from));
      to += stride;
      from += stride;
    } while (to < end);
  }
}

}  // namespace

[[gnu::always_inline]] inline void Deflate::Bits::fillFast() {
  value |= loadBits(next) << count;
  next += (63 - count) >> 3;
  count |= 56;
}

void Deflate::Bits::fill() {
  for (; count <= 56 && next < end; count += 8) value |= std::uint64_t{*next++} << count;
}

unsigned Deflate::Bits::take(unsigned bits) {
  if (count < bits) {
    fill();
    if (count < bits) cut();
  }
  const auto taken = static_cast<unsigned>(lowest(value, bits));
  drop(bits);
  return taken;
}

void Deflate::giveBack() {
  bits_.next -= bits_.count >> 3;
  bits_.count &= 7;
  bits_.value = lowest(bits_.value, bits_.count);
  input_.consume(input_.available() - static_cast<std::size_t>(bits_.end - bits_.next));
}

void Deflate::load(std::size_t wanted) {
  if (bits_.next != nullptr) giveBack();
  const Bytes bytes = input_.peekAtLeast(wanted);
  bits_.next = bytes.data();
  bits_.end = bytes.data() + bytes.size();
}

void Deflate::restart() {
  phase_ = Phase::block;
  produced_ = 0;
}

std::size_t Deflate::read(unsigned char* into, std::size_t capacity) {
  Output out{into, into + capacity, into - produced_};
  while (out.next < out.end && phase_ != Phase::ended) {
    if (phase_ == Phase::block) {
      beginBlock();
    } else if (phase_ == Phase::stored) {
      copyStored(out);
    } else {
      decode(out);
    }
  }
  if (bits_.next != nullptr) giveBack();
  bits_.next = bits_.end = nullptr;
  if (phase_ == Phase::ended) bits_ = {};  // what is left of the last byte is padding
  const auto size = static_cast<std::size_t>(out.next - into);
  produced_ = std::min(produced_ + size, kHistory);
  return size;
}

void Deflate::beginBlock() {
  load(kHeader);
  last_ = bits_.take(1) != 0;
  switch (bits_.take(2)) {
    case 0:
      return beginStored();
    case 1:
      tables_ = &fixedTables();
      break;
    case 2:
      readTables();
      break;
    default:
      invalid("block type");
  }
  phase_ = Phase::symbols;
}

void Deflate::beginStored() {
  bits_.drop(bits_.count & 7);
  stored_ = bits_.take(16);
  if ((bits_.take(16) ^ 0xffff) != stored_) invalid("stored block lengths");
  phase_ = Phase::stored;
  if (stored_ == 0) endBlock();
}

void Deflate::copyStored(Output& out) {
  load(1);
  const auto there = static_cast<std::size_t>(bits_.end - bits_.next);
  if (there == 0) cut();
  const std::size_t size = std::min({stored_, there, static_cast<std::size_t>(out.end - out.next)});
  std::memcpy(out.next, bits_.next, size);
  bits_.next += size;
  out.next += size;
  stored_ -= size;
  if (stored_ == 0) endBlock();
}

void Deflate::readTables() {
  const unsigned litlens = bits_.take(5) + 257, dists = bits_.take(5) + 1, pres = bits_.take(4) + 4;
  if (litlens > 286 || dists > 30) invalid("number of codes");
  constexpr std::uint8_t kOrder[huffman::kPres] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                   11, 4,  12, 3, 13, 2, 14, 1, 15};
  std::uint8_t lengths[huffman::kLitLens + huffman::kDists] = {};
  for (unsigned i = 0; i < pres; ++i) lengths[kOrder[i]] = static_cast<std::uint8_t>(bits_.take(3));
  // The table of the lengths' own code is needed for a moment only: it stands where that of the distances
  // will.
  static_assert(huffman::kPreEntries <= huffman::kDistEntries);
  if (!huffman::build(huffman::Alphabet::pre, {lengths, huffman::kPres}, own_.dist)) invalid("code lengths");
  readLengths({lengths, litlens + dists});
  if (lengths[256] == 0) invalid("code: no end of block");
  if (!huffman::build(huffman::Alphabet::litlen, {lengths, litlens}, own_.litlen)) invalid("literal codes");
  if (!huffman::build(huffman::Alphabet::dist, {lengths + litlens, dists}, own_.dist)) {
    invalid("distance codes");
  }
  tables_ = &own_;
}

void Deflate::readLengths(std::span<std::uint8_t> lengths) {
  std::size_t at = 0;
  while (at < lengths.size()) {
    bits_.fill();
    const std::uint32_t entry = look(own_.dist, huffman::kPreBits);
    if ((entry & kSpecial) != 0) invalid("code lengths");
    const unsigned symbol = huffman::base(entry);
    if (symbol < 16) {
      lengths[at++] = static_cast<std::uint8_t>(symbol);
      continue;
    }
    std::uint8_t value = 0;
    std::size_t times = 0;
    if (symbol == 16) {
      if (at == 0) invalid("repeat of code lengths");
      value = lengths[at - 1];
      times = 3 + bits_.take(2);
    } else {
      times = symbol == 17 ? 3 + bits_.take(3) : 11 + bits_.take(7);
    }
    if (times > lengths.size() - at) invalid("repeat of code lengths");
    std::fill_n(lengths.begin() + static_cast<std::ptrdiff_t>(at), times, value);
    at += times;
  }
}

const Deflate::Tables& Deflate::fixedTables() {
  static const Tables tables = [] {
    Tables made;
    std::uint8_t lengths[huffman::kLitLens];
    for (unsigned i = 0; i < huffman::kLitLens; ++i) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    huffman::build(huffman::Alphabet::litlen, lengths, made.litlen);
    std::fill_n(lengths, huffman::kDists, 5);
    huffman::build(huffman::Alphabet::dist, {lengths, huffman::kDists}, made.dist);
    return made;
  }();
  return tables;
}

/// The entry of the next symbol, its code taken but for what is extra. The caller has called fill().
std::uint32_t Deflate::look(const std::uint32_t* table, unsigned indexBits) {
  std::uint32_t entry = table[lowest(bits_.value, indexBits)];
  if ((entry & kSubtable) != 0) {
    if (takes(entry) > bits_.count) cut();
    bits_.drop(takes(entry));
    entry = table[huffman::base(entry) + lowest(bits_.value, codeBits(entry))];
  }
  if (codeBits(entry) > bits_.count) cut();
  bits_.drop(codeBits(entry));
  return entry;
}

/// One symbol, with every border looked at.
void Deflate::decodeOne(Output& out) {
  bits_.fill();
  std::uint32_t entry = look(tables_->litlen, huffman::kLitLenBits);
  if ((entry & kLiteral) != 0) {
    *out.next++ = static_cast<unsigned char>(huffman::base(entry));
    return;
  }
  if ((entry & kEndOfBlock) != 0) return endBlock();
  if ((entry & kSpecial) != 0) {
    if (bits_.count < huffman::kMaxCode && bits_.next == bits_.end) cut();
    invalid("literal code");
  }
  const std::size_t length = huffman::base(entry) + bits_.take(takes(entry) - codeBits(entry));
  bits_.fill();
  entry = look(tables_->dist, huffman::kDistBits);
  if ((entry & kSpecial) != 0) {
    if (bits_.count < huffman::kMaxCode && bits_.next == bits_.end) cut();
    invalid("distance code");
  }
  distance_ = huffman::base(entry) + bits_.take(takes(entry) - codeBits(entry));
  if (distance_ > static_cast<std::size_t>(out.next - out.floor)) invalid("distance");
  pendingLength_ = length;
  copyPending(out);
}

void Deflate::copyPending(Output& out) {
  const std::size_t size = std::min(pendingLength_, static_cast<std::size_t>(out.end - out.next));
  for (std::size_t i = 0; i < size; ++i, ++out.next) *out.next = *(out.next - distance_);
  pendingLength_ -= size;
}

/// Symbols for as long as no border is near. Each turn begins with 56 bits: three literals take 33 of them at
/// the most, a length with its distance 48.
[[gnu::always_inline]] inline void Deflate::decodeFast(Output& output) {
  Bits bits = bits_;
  unsigned char* out = output.next;
  unsigned char* const outLimit = output.end - kOutputMargin;
  const unsigned char* const inLimit = bits.end - kInputMargin;
  const unsigned char* const floor = output.floor;
  const std::uint32_t* const litlen = tables_->litlen;
  const std::uint32_t* const dist = tables_->dist;
  const auto next = [&] { return litlen[lowest(bits.value, huffman::kLitLenBits)]; };
  bool ended = false;

  bits.fillFast();
  std::uint32_t entry = next();
  do {
    bits.fillFast();
    if ((entry & kLiteral) != 0) {
      bits.drop(takes(entry));
      *out++ = static_cast<unsigned char>(entry >> 16);
      entry = next();
      if ((entry & kLiteral) != 0) {
        bits.drop(takes(entry));
        *out++ = static_cast<unsigned char>(entry >> 16);
        entry = next();
        if ((entry & kLiteral) != 0) {
          bits.drop(takes(entry));
          *out++ = static_cast<unsigned char>(entry >> 16);
          entry = next();
          continue;
        }
      }
      bits.fillFast();
    }
    if ((entry & kSpecial) != 0) [[unlikely]] {
      if ((entry & kSubtable) != 0) {
        bits.drop(takes(entry));
        entry = litlen[huffman::base(entry) + lowest(bits.value, codeBits(entry))];
      }
      if ((entry & kLiteral) != 0) {
        bits.drop(takes(entry));
        *out++ = static_cast<unsigned char>(entry >> 16);
        entry = next();
        continue;
      }
      if ((entry & kEndOfBlock) != 0) {
        bits.drop(takes(entry));
        ended = true;
        break;
      }
      if ((entry & kSpecial) != 0) invalid("literal code");
    }
    const std::size_t length = huffman::base(entry) + (lowest(bits.value, takes(entry)) >> codeBits(entry));
    bits.drop(takes(entry));

    std::uint32_t far = dist[lowest(bits.value, huffman::kDistBits)];
    if ((far & kSpecial) != 0) [[unlikely]] {
      if ((far & kSubtable) == 0) invalid("distance code");
      bits.drop(takes(far));
      far = dist[huffman::base(far) + lowest(bits.value, codeBits(far))];
      if ((far & kSpecial) != 0) invalid("distance code");
    }
    const std::size_t distance = huffman::base(far) + (lowest(bits.value, takes(far)) >> codeBits(far));
    bits.drop(takes(far));
    if (distance > static_cast<std::size_t>(out - floor)) invalid("distance");
    bits.fillFast();
    entry = next();
    copyMatch(out, distance, length);
    out += length;
  } while (bits.next < inLimit && out < outLimit);

  output.next = out;
  bits_ = bits;
  if (ended) endBlock();
}

#if defined(__x86_64__)
/// The same with shifts that leave the flags alone.
[[gnu::target("bmi,bmi2")]] void Deflate::decodeFastBmi2(Output& out) {
  decodeFast(out);
}
#endif

void Deflate::decode(Output& out) {
  copyPending(out);
  while (out.next < out.end && phase_ == Phase::symbols) {
    load(kInputMargin);
    if (static_cast<std::size_t>(bits_.end - bits_.next) > kInputMargin &&
        static_cast<std::size_t>(out.end - out.next) > kOutputMargin) {
#if defined(__x86_64__)
      static const bool bmi2 = __builtin_cpu_supports("bmi2") != 0;
      if (bmi2) {
        decodeFastBmi2(out);
        continue;
      }
#endif
      decodeFast(out);
    } else {
      decodeOne(out);
    }
  }
}

}  // namespace tsrun
