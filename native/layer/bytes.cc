#include "layer/bytes.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/failure.h"
#include "layer/layer_steps.h"

namespace tsrun {
namespace {

/// True if the call is to be repeated.
bool waitFor(int fd, short events) {
  if (errno == EINTR) return true;
  if (errno != EAGAIN) return false;
  pollfd entry{fd, events, 0};
  return ::poll(&entry, 1, -1) >= 0 || errno == EINTR;
}

}  // namespace

std::size_t readSome(int fd, void* into, std::size_t capacity, const char* step, const std::string& subject) {
  for (;;) {
    const ssize_t got = ::read(fd, into, capacity);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (!waitFor(fd, POLLIN)) fail(step, subject);
  }
}

void writeAll(int fd, const void* data, std::size_t size, const char* step, const std::string& subject) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  while (size > 0) {
    const ssize_t wrote = ::write(fd, bytes, size);
    if (wrote < 0) {
      if (!waitFor(fd, POLLOUT)) fail(step, subject);
      continue;
    }
    bytes += wrote;
    size -= static_cast<std::size_t>(wrote);
  }
}

bool InputStream::refill() {
  if (ended_) return false;
  if (hashing_) sha_.update(buffer_ + hashed_, end_ - hashed_);
  std::memmove(buffer_, buffer_ + at_, end_ - at_);
  end_ -= at_;
  at_ = 0;
  hashed_ = end_;
  const std::size_t got = receive();
  end_ += got;
  size_ += got;
  ended_ = got == 0;
  return got > 0;
}

std::size_t InputStream::receive() {
  for (;;) {
    const std::size_t got = readSome(fd_, buffer_ + end_, kBuffer - end_, step::kLayerRead, "layer");
    if (got > 0 || growing_ < 0) return got;
    char news[4096];
    // What came before the end of the news may not have been read yet: the file is looked at once more.
    if (readSome(growing_, news, sizeof news, step::kLayerRead, "stdin") == 0) growing_ = -1;
  }
}

Bytes InputStream::peek() {
  if (at_ == end_) refill();
  return {buffer_ + at_, end_ - at_};
}

Bytes InputStream::peekAtLeast(std::size_t size) {
  while (end_ - at_ < size && refill()) {
  }
  return {buffer_ + at_, end_ - at_};
}

bool InputStream::startsWith(Bytes magic) {
  const Bytes next = peekAtLeast(magic.size());
  return next.size() >= magic.size() && std::equal(magic.begin(), magic.end(), next.begin());
}

}  // namespace tsrun
