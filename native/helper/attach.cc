#include "helper/attach.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "helper/client.h"
#include "runtime/clock.h"

namespace tsrun {
namespace {

/// How long a client that has read everything may take to close.
constexpr long long kCloseMs = 10000;

/// Besides its mode 0600: root, or whom the monitor runs as.
bool mayConnect(int socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
         (peer.uid == 0 || peer.uid == geteuid());
}

}  // namespace

Attach::Attach(EventLoop& loop, Requests& requests) : loop_(loop), requests_(requests) {}

Attach::~Attach() = default;

void Attach::listen(UniqueFd listener) {
  listener_ = std::move(listener);
  listenerWatch_ = std::make_unique<Watch>(loop_, listener_.get(), [this](std::uint32_t) { accept(); });
}

void Attach::closeListener() {
  if (!listener_) return;
  listenerWatch_->set(0);
  listener_.reset();
}

void Attach::adoptFirst(UniqueFd socket) {
  clients_.push_back(std::make_unique<Client>(loop_, requests_, std::move(socket)));
  first_ = clients_.back().get();
}

void Attach::accept() {
  UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket || !mayConnect(socket.get())) return;
  clients_.push_back(std::make_unique<Client>(loop_, requests_, std::move(socket)));
}

void Attach::output(int stream, const char* data, std::size_t length) {
  for (const auto& client : clients_) {
    if (client->wants(stream)) client->send(stream == 1 ? Frame::kStdout : Frame::kStderr, data, length);
  }
}

bool Attach::awaitsFirst() const {
  return first_ != nullptr && !first_->hasSpoken();
}

bool Attach::isCongested() const {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const auto& client) { return client->isCongested(); });
}

void Attach::answerProbe(std::uint64_t number, bool success) {
  for (const auto& client : clients_) client->answerProbe(number, success);
}

void Attach::sendExit(std::uint32_t code, bool controlOnly) {
  for (const auto& client : clients_) {
    if (!controlOnly || !client->hasSaidHello()) client->sendExit(code);
  }
}

void Attach::farewell(std::uint32_t code) {
  sendExit(code, false);
  std::optional<long long> until;
  for (update(); !clients_.empty(); update()) {
    if (!drained()) {
      until.reset();
      loop_.wait(-1);
      continue;
    }
    // They have it all; who does not close now (a stopped process) keeps nobody.
    if (!until) until = monotonicMs() + kCloseMs;
    const long long left = *until - monotonicMs();
    if (left <= 0) break;
    loop_.wait(static_cast<int>(left));
  }
  clients_.clear();
}

bool Attach::drained() const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const auto& client) { return client->isDrained(); });
}

void Attach::update() {
  for (const auto& client : clients_) client->update();
  if (first_ != nullptr && first_->isGone()) first_ = nullptr;
  std::erase_if(clients_, [](const auto& client) { return client->isGone(); });
  if (listener_) listenerWatch_->set(clients_.size() < kMaxClients ? EPOLLIN : 0u);
}

}  // namespace tsrun
