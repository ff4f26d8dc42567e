#include "layer/gzip.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>

#include "base/failure.h"
#include "layer/layer_steps.h"

namespace tsrun {
namespace {

constexpr unsigned kHeaderCrc = 2, kExtra = 4, kName = 8, kComment = 16, kReserved = 0xe0;

[[noreturn]] void corrupt(const char* why) {
  throw Failure(step::kLayerInflate, 0, "layer", why);
}

}  // namespace

std::size_t Gzip::read(unsigned char* into, std::size_t capacity) {
  if (lastEnd_ != nullptr && lastEnd_ != into) std::memcpy(into - kFront, lastEnd_ - kFront, kFront);
  std::size_t filled = 0;
  while (filled < capacity && phase_ != Phase::ended) {
    if (phase_ == Phase::header) readHeader();
    const std::size_t got = deflate_.read(into + filled, capacity - filled);
    crc_ = libdeflate_crc32(crc_, into + filled, got);
    size_ += static_cast<std::uint32_t>(got);
    filled += got;
    if (deflate_.ended()) {
      checkTrailer();
      afterMember();
    }
  }
  lastEnd_ = into + filled;
  return filled;
}

unsigned char Gzip::headerByte() {
  const Bytes next = input_.peek();
  if (next.empty()) corrupt("unexpected EOF");
  const unsigned char byte = next[0];
  headerCrc_ = libdeflate_crc32(headerCrc_, &byte, 1);
  input_.consume(1);
  return byte;
}

unsigned Gzip::headerNumber() {
  const unsigned low = headerByte();
  return low | headerByte() << 8;
}

void Gzip::readHeader() {
  headerCrc_ = 0;
  if (headerNumber() != 0x8b1f) corrupt("gzip: invalid header");
  if (headerByte() != 8) corrupt("gzip: unknown compression method");
  const unsigned flags = headerByte();
  if ((flags & kReserved) != 0) corrupt("gzip: unknown header flags");
  for (int i = 0; i < 6; ++i) headerByte();  // time, compressor's effort, operating system
  if ((flags & kExtra) != 0) {
    for (unsigned left = headerNumber(); left > 0; --left) headerByte();
  }
  for (const unsigned text : {kName, kComment}) {
    while ((flags & text) != 0 && headerByte() != 0) {
    }
  }
  if ((flags & kHeaderCrc) != 0) {
    const unsigned expected = headerCrc_ & 0xffff;
    if (headerNumber() != expected) corrupt("gzip: incorrect header check");
  }
  crc_ = size_ = 0;
  deflate_.restart();
  phase_ = Phase::data;
}

void Gzip::checkTrailer() {
  const Bytes next = input_.peekAtLeast(8);
  if (next.size() < 8) corrupt("unexpected EOF");
  const auto number = [&](std::size_t at) {
    return next[at] | next[at + 1] << 8 | next[at + 2] << 16 | static_cast<std::uint32_t>(next[at + 3]) << 24;
  };
  if (number(0) != crc_) corrupt("gzip: incorrect data check");
  if (number(4) != size_) corrupt("gzip: incorrect length check");
  input_.consume(8);
}

void Gzip::afterMember() {
  phase_ = Phase::header;
  const Bytes next = input_.peek();
  if (next.empty()) {
    phase_ = Phase::ended;
  } else if (next[0] == 0) {
    skipZeroPadding();
  }
}

/// Writers to block devices pad with zeros; anything else behind the last member is refused.
void Gzip::skipZeroPadding() {
  for (Bytes next = input_.peek(); !next.empty(); next = input_.peek()) {
    if (std::any_of(next.begin(), next.end(), [](unsigned char byte) { return byte != 0; })) {
      corrupt("gzip: invalid header");
    }
    input_.consume(next.size());
  }
  phase_ = Phase::ended;
}

}  // namespace tsrun
