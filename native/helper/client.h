#pragma once
#include "helper/attach.h"
#include "helper/buffer.h"

namespace tsrun {

/// One connection to the monitor.
class Client {
 public:
  Client(EventLoop& loop, Requests& requests, UniqueFd socket);
  ~Client();

  /// Output of a run that comes after its exit frame is not for it.
  bool wants(int stream) const {
    return !exitSent_ && (want_ & (stream == 1 ? kWantStdout : kWantStderr)) != 0;
  }
  bool hasSpoken() const { return spoken_; }
  bool hasSaidHello() const { return hello_; }
  bool isCongested() const { return !exitSent_ && pending_.size() >= kBufferLimit; }
  bool isDrained() const { return pending_.empty(); }
  bool isGone() const { return gone_; }

  void send(Frame kind, const char* payload, std::size_t length);
  void sendNumber(Frame kind, std::uint32_t value);
  /// Its last frame: what it sends from now on is not heard any more.
  void sendExit(std::uint32_t code);
  void answerProbe(std::uint64_t number, bool success);
  void update();

 private:
  void ready(std::uint32_t events);
  void receive();
  void parse(const char* data, std::size_t length);
  void beginFrame();
  void endFrame();
  void flush();
  void requestProbe();
  void inputEnded();
  void release();
  void finish();
  void leave();

  static constexpr std::size_t kShort = 16;  ///< payloads other than stdin's are no longer

  Requests& requests_;
  UniqueFd socket_;
  Watch watch_;
  std::uint8_t want_ = 0;
  bool spoken_ = false, hello_ = false, holds_ = false, exitSent_ = false;
  bool readClosed_ = false;  ///< it has closed its sending half
  bool hungUp_ = false;      ///< it has closed everything: nothing can be sent
  bool gone_ = false;
  bool finished_ = false;  ///< it has everything, and our sending half is closed
  bool inputDone_ = false;
  std::uint64_t ticket_ = 0;  ///< of the probe that it waits for; 0 = none

  char header_[kFrameHeader];
  std::size_t headerLength_ = 0;
  Frame kind_ = Frame::kStdin;
  std::size_t remaining_ = 0;
  char payload_[kShort];
  std::size_t payloadLength_ = 0;

  Buffer pending_;
};

}  // namespace tsrun
