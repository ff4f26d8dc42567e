#include "helper/client.h"

#include <endian.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tsrun {
namespace {

constexpr std::size_t kChunk = 64 << 10;
/// Shared by all clients: it is empty again before the next one is looked at.
char chunk[kChunk];

}  // namespace

Client::Client(EventLoop& loop, Requests& requests, UniqueFd socket)
    : requests_(requests),
      socket_(std::move(socket)),
      watch_(loop, socket_.get(), [this](std::uint32_t events) { ready(events); }) {}

Client::~Client() {
  watch_.set(0);
}

void Client::ready(std::uint32_t events) {
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    hungUp_ = true;
    pending_.clear();
  }
  if ((events & EPOLLOUT) != 0 && !hungUp_) flush();
  // What a client had sent before it closed is still to be read: `echo x | tsrun attach c`.
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !readClosed_) receive();
}

void Client::receive() {
  const ssize_t got = recv(socket_.get(), chunk, sizeof chunk, MSG_DONTWAIT);
  if (got > 0) return parse(chunk, static_cast<std::size_t>(got));
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  readClosed_ = true;
  spoken_ = true;  // it never will
  inputEnded();
}

void Client::parse(const char* data, std::size_t length) {
  while (length > 0 && !gone_) {
    if (headerLength_ < kFrameHeader) {
      const std::size_t taken = std::min(length, kFrameHeader - headerLength_);
      std::memcpy(header_ + headerLength_, data, taken);
      headerLength_ += taken;
      data += taken;
      length -= taken;
      if (headerLength_ < kFrameHeader) return;
      beginFrame();
    } else {
      const std::size_t taken = std::min(length, remaining_);
      if (kind_ == Frame::kStdin) {
        if ((want_ & kWantStdin) != 0 && !exitSent_) requests_.input(data, taken);
      } else {
        std::memcpy(payload_ + payloadLength_, data, taken);
        payloadLength_ += taken;
      }
      remaining_ -= taken;
      data += taken;
      length -= taken;
    }
    if (remaining_ == 0) endFrame();
  }
}

void Client::beginFrame() {
  std::uint32_t length;
  std::memcpy(&length, header_ + 4, sizeof length);
  remaining_ = be32toh(length);
  kind_ = static_cast<Frame>(header_[0]);
  payloadLength_ = 0;
  // Refused, not skipped: a peer that breaks the framing is not one of ours.
  if (remaining_ > (kind_ == Frame::kStdin ? kMaxFrame : kShort) || (spoken_ && kind_ == Frame::kHello))
    leave();
}

void Client::endFrame() {
  headerLength_ = 0;
  if (gone_ || exitSent_) return;
  const auto byte = [this](std::size_t at) {
    return static_cast<std::uint8_t>(at < payloadLength_ ? payload_[at] : 0);
  };
  switch (kind_) {
    case Frame::kStdin:
      break;
    case Frame::kHello:
      want_ = byte(0);
      hello_ = true;
      break;
    case Frame::kStdinEnd:
      inputEnded();
      break;
    case Frame::kResize:
      requests_.resize(byte(0) << 8 | byte(1), byte(2) << 8 | byte(3));
      break;
    case Frame::kSignal:
      sendNumber(Frame::kAck, static_cast<std::uint32_t>(requests_.signal(byte(0))));
      break;
    case Frame::kStop:
      sendNumber(Frame::kAck, static_cast<std::uint32_t>(requests_.stop(byte(0), byte(1) != 0)));
      break;
    case Frame::kProbe:
      requestProbe();
      break;
    case Frame::kFreeze: {
      const bool hold = byte(0) != 0;
      const int error = !hold ? requests_.freeze() : holds_ ? 0 : requests_.hold();
      if (hold && error == 0) holds_ = true;
      sendNumber(Frame::kAck, static_cast<std::uint32_t>(error));
      break;
    }
    case Frame::kThaw: {
      const int error = holds_ ? requests_.unhold() : requests_.thaw();
      holds_ = false;
      sendNumber(Frame::kAck, static_cast<std::uint32_t>(error));
      break;
    }
    default:
      sendNumber(Frame::kAck, ENOSYS);
  }
  spoken_ = true;
}

void Client::requestProbe() {
  const int error = requests_.probe(ticket_);
  if (error != 0) sendNumber(Frame::kAck, static_cast<std::uint32_t>(error));
}

void Client::answerProbe(std::uint64_t number, bool success) {
  if (ticket_ == 0 || ticket_ > number) return;
  ticket_ = 0;
  sendNumber(Frame::kProbe, success ? 0 : 1);
}

void Client::inputEnded() {
  if (inputDone_ || (want_ & kWantStdin) == 0) return;
  inputDone_ = true;
  requests_.inputEnded();
}

void Client::send(Frame kind, const char* payload, std::size_t length) {
  if (hungUp_ || gone_) return;
  char header[kFrameHeader] = {static_cast<char>(kind)};
  const std::uint32_t size = htobe32(static_cast<std::uint32_t>(length));
  std::memcpy(header + 4, &size, sizeof size);
  std::size_t sent = 0;
  if (pending_.empty()) {
    // The usual case costs no copy: straight from the buffer that the output was read into.
    iovec parts[2] = {{header, sizeof header}, {const_cast<char*>(payload), length}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    const ssize_t done = sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done < 0 && errno != EAGAIN && errno != EINTR) {
      hungUp_ = true;
      return;
    }
    sent = done < 0 ? 0 : static_cast<std::size_t>(done);
  }
  if (sent < sizeof header) pending_.append(header + sent, sizeof header - sent);
  const std::size_t skipped = sent > sizeof header ? sent - sizeof header : 0;
  if (skipped < length) pending_.append(payload + skipped, length - skipped);
}

void Client::sendNumber(Frame kind, std::uint32_t value) {
  const std::uint32_t big = htobe32(value);
  send(kind, reinterpret_cast<const char*>(&big), sizeof big);
}

void Client::sendExit(std::uint32_t code) {
  if (exitSent_) return;
  exitSent_ = true;
  sendNumber(Frame::kExit, code);
  // Another run may follow while it is still being read: what it had a hand in ends with this one.
  release();
}

void Client::flush() {
  if (pending_.empty()) return;
  const ssize_t done = ::send(socket_.get(), pending_.data(), pending_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (done >= 0) {
    pending_.consume(static_cast<std::size_t>(done));
  } else if (errno != EAGAIN && errno != EINTR) {
    hungUp_ = true;
    pending_.clear();
  }
}

void Client::update() {
  if (exitSent_ && pending_.empty()) finish();
  if (readClosed_ && (hungUp_ || finished_)) leave();
  if (gone_) return;
  const bool mayRead =
      !readClosed_ && (exitSent_ || (want_ & kWantStdin) == 0 || !requests_.inputCongested());
  // A client that closed everything is watched only while there is something to read from it.
  if (hungUp_ && !mayRead) return watch_.set(0);
  const std::uint32_t mask = (mayRead ? EPOLLIN : 0u) | (pending_.empty() ? 0u : EPOLLOUT);
  // With nothing to read or write its end must still be noticed, and only that: nobody sends EPOLLPRI.
  watch_.set(mask != 0 ? mask : EPOLLPRI);
}

/// The end that it is to see. It may be sending at this moment: a closed socket would fail that, and cost it
/// what it has not read yet. So it is read, for nobody, until it closes its own end.
void Client::finish() {
  if (finished_ || hungUp_) return;
  finished_ = true;
  shutdown(socket_.get(), SHUT_WR);
}

void Client::release() {
  inputEnded();
  if (holds_) requests_.unhold();
  holds_ = false;
}

void Client::leave() {
  if (gone_) return;
  gone_ = true;
  watch_.set(0);
  release();
  socket_.reset();
}

}  // namespace tsrun
