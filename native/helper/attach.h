#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "helper/event_loop.h"

namespace tsrun {

/// Kinds of frames on the attach socket; src/native/protocol.ts says what each means.
enum class Frame : std::uint8_t {
  kStdin = 0,
  kStdout = 1,
  kStderr = 2,
  kStdinEnd = 4,
  kResize = 5,
  kSignal = 6,
  kExit = 7,
  kHello = 8,
  kAck = 9,
  kFreeze = 10,
  kThaw = 11,
  kStop = 12,
  kProbe = 13,
};

inline constexpr std::uint8_t kWantStdout = 1, kWantStderr = 2, kWantStdin = 4;
inline constexpr std::size_t kMaxFrame = 1 << 20;
inline constexpr std::size_t kFrameHeader = 8;

/// What clients ask of the container. Each int is an errno, 0 when done.
class Requests {
 public:
  virtual void input(const char* data, std::size_t length) = 0;
  virtual void inputEnded() = 0;
  /// True while so much input waits that no more is wanted.
  virtual bool inputCongested() const = 0;
  virtual void resize(unsigned rows, unsigned cols) = 0;
  virtual int signal(int number) = 0;
  /// The user ends it: no restart follows. `number` is sent to the program unless it is 0. With `keep` the
  /// container stays, even one of --rm: the user starts it again.
  virtual int stop(int number, bool keep) = 0;
  /// Runs the health check once more: `ticket` is the number of the probe that answers.
  virtual int probe(std::uint64_t& ticket) = 0;
  /// Freezes until `thaw`, or (`hold`) adds a reason to be frozen that `unhold` takes away.
  virtual int freeze() = 0;
  virtual int thaw() = 0;
  virtual int hold() = 0;
  virtual int unhold() = 0;

 protected:
  ~Requests() = default;
};

class Client;

/// All clients of one container: `--attach FD` first, then whoever connects to `sock`.
class Attach {
 public:
  Attach(EventLoop& loop, Requests& requests);
  ~Attach();

  /// Accepts from a listening socket until `closeListener`.
  void listen(UniqueFd listener);
  void closeListener();
  /// The client that was there from the beginning: no output is read before it has said what it wants.
  void adoptFirst(UniqueFd socket);

  /// Output of the container, stream 1 or 2, to everyone who wants it.
  void output(int stream, const char* data, std::size_t length);
  /// True until the first client has said what it wants, or has gone: no output may pass it by.
  bool awaitsFirst() const;
  /// True while a client that wants output does not read it.
  bool isCongested() const;

  /// Probe `number` has ended: an answer to every client that waits for it, or for one before it.
  void answerProbe(std::uint64_t number, bool success);

  /// The exit frame to every client that has not had it; only to those without a hello if `controlOnly`.
  void sendExit(std::uint32_t code, bool controlOnly);
  /// The end: everyone gets the exit frame, and is waited for until it has read all that was for it.
  void farewell(std::uint32_t code);

  /// Drops clients that are gone and recomputes what each fd is watched for. After every round of the loop.
  void update();

 private:
  static constexpr std::size_t kMaxClients = 256;
  void accept();
  bool drained() const;

  EventLoop& loop_;
  Requests& requests_;
  UniqueFd listener_;
  std::unique_ptr<Watch> listenerWatch_;
  std::vector<std::unique_ptr<Client>> clients_;
  const Client* first_ = nullptr;
};

}  // namespace tsrun
