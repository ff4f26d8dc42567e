#pragma once
#include <linux/netlink.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace tsrun {

/// One request being built: netlink header, the family's fixed header, then attributes.
class NlMessage {
 public:
  /// NLM_F_REQUEST is implied. `step` and `subject` name the failure if the kernel refuses it.
  NlMessage(std::uint16_t type, std::uint16_t flags, const char* step, std::string subject);

  template <typename Header>
  NlMessage& header(const Header& fixed) {
    return raw(&fixed, sizeof fixed);
  }
  NlMessage& attribute(std::uint16_t type, const void* data, size_t size);
  NlMessage& u8(std::uint16_t type, std::uint8_t value) { return attribute(type, &value, sizeof value); }
  NlMessage& u32(std::uint16_t type, std::uint32_t value) { return attribute(type, &value, sizeof value); }
  NlMessage& text(std::uint16_t type, const std::string& value) {
    return attribute(type, value.c_str(), value.size() + 1);
  }
  /// Attributes added by `fill` become children of one attribute; a nested fixed header goes in by header().
  NlMessage& nest(std::uint16_t type, const std::function<void(NlMessage&)>& fill);
  /// This errno counts as success (EEXIST for "make it", ENODEV for "remove it").
  NlMessage& accept(int error) {
    accepted_ = error;
    return *this;
  }

 private:
  friend class Netlink;
  NlMessage& raw(const void* data, size_t size);

  std::vector<char> bytes_;
  const char* step_;
  std::string subject_;
  int accepted_ = 0;
};

/// A message from the kernel. Valid only inside the callback it is given to.
class NlReply {
 public:
  NlReply(std::uint16_t type, std::string_view body) : type_(type), body_(body) {}
  std::uint16_t type() const { return type_; }
  /// The fixed header; zeroes where the kernel sent less.
  template <typename Header>
  Header header() const {
    Header fixed{};
    std::memcpy(&fixed, body_.data(), std::min(sizeof fixed, body_.size()));
    return fixed;
  }
  /// Payload of the first attribute `type` after a fixed header of `headerSize`; path = through nested
  /// attributes.
  std::optional<std::string_view> find(size_t headerSize, std::initializer_list<std::uint16_t> path) const;
  std::optional<std::uint32_t> u32(size_t headerSize, std::initializer_list<std::uint16_t> path) const;

 private:
  std::uint16_t type_;
  std::string_view body_;
};

/// A netlink socket of the network namespace that the thread is in when it is made.
class Netlink {
 public:
  /// `protocol`: NETLINK_ROUTE or NETLINK_NETFILTER.
  explicit Netlink(int protocol);

  /// Sends all messages in one datagram and reads every acknowledgement. The kernel works them off in order
  /// and does not stop at an error; the first refusal is thrown, with the kernel's own words (extended ack)
  /// as detail.
  void run(std::vector<NlMessage> messages);
  /// As run, but between NFNL_MSG_BATCH_BEGIN and _END, as nf_tables wants its changes.
  void runNftBatch(NlMessage message);
  /// One request with one answer; false if the kernel says `absent` (ENODEV, ENOENT).
  bool get(NlMessage message, int absent, const std::function<void(const NlReply&)>& take);
  /// NLM_F_DUMP; repeated when the kernel says that the list changed meanwhile: `restart` is called before
  /// each try.
  void dump(NlMessage message, const std::function<void()>& restart,
            const std::function<void(const NlReply&)>& take);

 private:
  enum class Until { acks, answer, done };
  struct Result {
    int error = 0;
    std::string detail;
    bool interrupted = false;
  };
  void send(const std::vector<char>& bytes, const NlMessage& first);
  std::uint32_t seal(NlMessage& message);
  Result receive(std::uint32_t sequence, Until until, const NlMessage& request,
                 const std::function<void(const NlReply&)>& take);

  UniqueFd socket_;
  std::vector<char> buffer_;
  std::uint32_t sequence_ = 0;
};

}  // namespace tsrun
