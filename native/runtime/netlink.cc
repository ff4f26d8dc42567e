#include "runtime/netlink.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/failure.h"

namespace tsrun {
namespace {

constexpr size_t kReceiveBuffer = 64 * 1024;
constexpr int kDumpTries = 20;

size_t aligned(size_t size) {
  return (size + NLMSG_ALIGNTO - 1) & ~static_cast<size_t>(NLMSG_ALIGNTO - 1);
}

/// Calls `each` for every attribute in `bytes`; a malformed one ends the walk.
void walkAttributes(std::string_view bytes,
                    const std::function<void(std::uint16_t, std::string_view)>& each) {
  while (bytes.size() >= sizeof(nlattr)) {
    nlattr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > bytes.size()) return;
    each(header.nla_type & NLA_TYPE_MASK, bytes.substr(sizeof header, header.nla_len - sizeof header));
    bytes.remove_prefix(std::min(aligned(header.nla_len), bytes.size()));
  }
}

/// The text that the kernel added to an error (NLMSGERR_ATTR_MSG).
std::string extendedAck(const nlmsghdr& header, std::string_view body) {
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0 || body.size() < sizeof(nlmsgerr)) return {};
  nlmsgerr error;
  std::memcpy(&error, body.data(), sizeof error);
  size_t skip = sizeof error;
  // Uncapped, the whole refused request is repeated before the attributes.
  if ((header.nlmsg_flags & NLM_F_CAPPED) == 0) skip += aligned(error.msg.nlmsg_len) - sizeof error.msg;
  if (skip > body.size()) return {};
  std::string message;
  walkAttributes(body.substr(skip), [&](std::uint16_t type, std::string_view value) {
    if (type == NLMSGERR_ATTR_MSG) message = value.substr(0, value.find('\0'));
  });
  return message;
}

}  // namespace

NlMessage::NlMessage(std::uint16_t type, std::uint16_t flags, const char* step, std::string subject)
    : bytes_(NLMSG_HDRLEN), step_(step), subject_(std::move(subject)) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = flags | NLM_F_REQUEST;
  std::memcpy(bytes_.data(), &header, sizeof header);
}

NlMessage& NlMessage::raw(const void* data, size_t size) {
  const size_t at = bytes_.size();
  bytes_.resize(at + aligned(size));
  if (size > 0) std::memcpy(bytes_.data() + at, data, size);
  return *this;
}

NlMessage& NlMessage::attribute(std::uint16_t type, const void* data, size_t size) {
  nlattr header{};
  header.nla_len = static_cast<std::uint16_t>(sizeof header + size);
  header.nla_type = type;
  raw(&header, sizeof header);
  return raw(data, size);
}

NlMessage& NlMessage::nest(std::uint16_t type, const std::function<void(NlMessage&)>& fill) {
  const size_t at = bytes_.size();
  attribute(type | NLA_F_NESTED, nullptr, 0);
  fill(*this);
  const auto length = static_cast<std::uint16_t>(bytes_.size() - at);
  std::memcpy(bytes_.data() + at + offsetof(nlattr, nla_len), &length, sizeof length);
  return *this;
}

std::optional<std::string_view> NlReply::find(size_t headerSize,
                                              std::initializer_list<std::uint16_t> path) const {
  std::string_view bytes = body_;
  bytes.remove_prefix(std::min(aligned(headerSize), bytes.size()));
  for (const std::uint16_t wanted : path) {
    std::optional<std::string_view> found;
    walkAttributes(bytes, [&](std::uint16_t type, std::string_view value) {
      if (type == wanted && !found) found = value;
    });
    if (!found) return std::nullopt;
    bytes = *found;
  }
  return bytes;
}

std::optional<std::uint32_t> NlReply::u32(size_t headerSize,
                                          std::initializer_list<std::uint16_t> path) const {
  const auto bytes = find(headerSize, path);
  if (!bytes || bytes->size() < sizeof(std::uint32_t)) return std::nullopt;
  std::uint32_t value;
  std::memcpy(&value, bytes->data(), sizeof value);
  return value;
}

Netlink::Netlink(int protocol)
    : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)), buffer_(kReceiveBuffer) {
  if (!socket_) fail("network.netlink", "socket");
  // Optional comforts of the kernel (4.12+, 4.20+): the reason in words, short acknowledgements, filtered
  // dumps.
  const int on = 1;
  setsockopt(socket_.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(socket_.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  setsockopt(socket_.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
}

std::uint32_t Netlink::seal(NlMessage& message) {
  nlmsghdr header;
  std::memcpy(&header, message.bytes_.data(), sizeof header);
  header.nlmsg_len = static_cast<std::uint32_t>(message.bytes_.size());
  header.nlmsg_seq = ++sequence_;
  std::memcpy(message.bytes_.data(), &header, sizeof header);
  return header.nlmsg_seq;
}

void Netlink::send(const std::vector<char>& bytes, const NlMessage& first) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent;
  do {
    sent = sendto(socket_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&kernel),
                  sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) fail(first.step_, first.subject_);
}

Netlink::Result Netlink::receive(std::uint32_t sequence, Until until, const NlMessage& request,
                                 const std::function<void(const NlReply&)>& take) {
  Result result;
  // The kernel answers during sendto, so every read finds its datagram; one datagram may hold several
  // messages.
  for (;;) {
    sockaddr_nl from{};
    socklen_t fromSize = sizeof from;
    const ssize_t size = recvfrom(socket_.get(), buffer_.data(), buffer_.size(), MSG_TRUNC,
                                  reinterpret_cast<sockaddr*>(&from), &fromSize);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail(request.step_, request.subject_);
    if (from.nl_pid != 0) continue;  // not the kernel
    if (static_cast<size_t>(size) > buffer_.size()) throw Failure(request.step_, EMSGSIZE, request.subject_);
    std::string_view bytes(buffer_.data(), static_cast<size_t>(size));
    bool finished = false;
    while (bytes.size() >= sizeof(nlmsghdr)) {
      nlmsghdr header;
      std::memcpy(&header, bytes.data(), sizeof header);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > bytes.size()) break;
      const std::string_view body = bytes.substr(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
      bytes.remove_prefix(std::min(aligned(header.nlmsg_len), bytes.size()));
      if (header.nlmsg_seq != sequence) continue;  // the tail of an answer that was given up
      if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) result.interrupted = true;
      if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
        int code = 0;
        if (body.size() >= sizeof code) std::memcpy(&code, body.data(), sizeof code);
        result.error = code < 0 ? -code : 0;
        if (header.nlmsg_type == NLMSG_ERROR) result.detail = extendedAck(header, body);
        finished = true;
      } else {
        take(NlReply(header.nlmsg_type, body));
        if (until == Until::answer) finished = true;
      }
    }
    if (finished) return result;
  }
}

void Netlink::run(std::vector<NlMessage> messages) {
  std::vector<char> bytes;
  std::vector<std::uint32_t> sequences;
  for (NlMessage& message : messages) {
    reinterpret_cast<nlmsghdr*>(message.bytes_.data())->nlmsg_flags |= NLM_F_ACK;
    sequences.push_back(seal(message));
    bytes.insert(bytes.end(), message.bytes_.begin(), message.bytes_.end());
  }
  if (messages.empty()) return;
  send(bytes, messages.front());
  std::optional<Failure> first;
  for (size_t i = 0; i < messages.size(); ++i) {
    const NlMessage& message = messages[i];
    const Result result = receive(sequences[i], Until::acks, message, [](const NlReply&) {});
    if (result.error == 0 || result.error == message.accepted_ || first) continue;
    first.emplace(message.step_, result.error, message.subject_, result.detail);
  }
  if (first) throw Failure(*first);
}

void Netlink::runNftBatch(NlMessage message) {
  nfgenmsg family{};
  family.nfgen_family = AF_UNSPEC;
  family.version = NFNETLINK_V0;
  family.res_id = htons(NFNL_SUBSYS_NFTABLES);
  NlMessage begin(NFNL_MSG_BATCH_BEGIN, 0, message.step_, message.subject_);
  NlMessage end(NFNL_MSG_BATCH_END, 0, message.step_, message.subject_);
  begin.header(family);
  end.header(family);
  reinterpret_cast<nlmsghdr*>(message.bytes_.data())->nlmsg_flags |= NLM_F_ACK;
  std::vector<char> bytes;
  // One number for all three: a refusal of the batch itself is answered to its first message.
  const std::uint32_t sequence = seal(begin);
  sequence_ = sequence - 1;
  seal(message);
  sequence_ = sequence - 1;
  seal(end);
  for (const NlMessage* part : {&begin, &message, &end}) {
    bytes.insert(bytes.end(), part->bytes_.begin(), part->bytes_.end());
  }
  send(bytes, message);
  const Result result = receive(sequence, Until::acks, message, [](const NlReply&) {});
  if (result.error != 0 && result.error != message.accepted_) {
    throw Failure(message.step_, result.error, message.subject_, result.detail);
  }
}

bool Netlink::get(NlMessage message, int absent, const std::function<void(const NlReply&)>& take) {
  const std::uint32_t sequence = seal(message);
  send(message.bytes_, message);
  const Result result = receive(sequence, Until::answer, message, take);
  if (result.error == absent) return false;
  if (result.error != 0) throw Failure(message.step_, result.error, message.subject_, result.detail);
  return true;
}

void Netlink::dump(NlMessage message, const std::function<void()>& restart,
                   const std::function<void(const NlReply&)>& take) {
  reinterpret_cast<nlmsghdr*>(message.bytes_.data())->nlmsg_flags |= NLM_F_DUMP;
  for (int attempt = 0; attempt < kDumpTries; ++attempt) {
    restart();
    const std::uint32_t sequence = seal(message);
    send(message.bytes_, message);
    const Result result = receive(sequence, Until::done, message, take);
    if (result.error == EINTR || (result.error == 0 && result.interrupted)) continue;
    if (result.error != 0) throw Failure(message.step_, result.error, message.subject_, result.detail);
    return;
  }
  throw Failure(message.step_, EINTR, message.subject_,
                "the kernel's list changes faster than it can be read");
}

}  // namespace tsrun
