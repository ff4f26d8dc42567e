#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/failure.h"
#include "runtime/network.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

constexpr char kStandardHosts[] =
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\n"
    "ff00::0\tip6-mcastprefix\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n";

constexpr std::string_view kHostGateway = "host-gateway\t";

}  // namespace

void writeHosts(const std::string& path, const Launch& launch, const std::optional<Lease>& lease) {
  // With the host's network the file is a copy of the host's, made with the container.
  if (launch.network.mode == "host") return;
  std::string text = kStandardHosts;
  for (const std::string& line : launch.network.extraHosts) {
    // The gateway is known only now: the plan leaves the word in its place.
    const bool gateway = lease && line.starts_with(kHostGateway);
    text += (gateway ? lease->gateway + line.substr(kHostGateway.size() - 1) : line) + "\n";
  }
  if (lease) text += lease->ip + "\t" + launch.network.hostname + "\n";

  // In place: the container has this inode bind-mounted.
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) fail(step::kNetworkHosts, path);
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t size = pwrite(file.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail(step::kNetworkHosts, path);
    done += static_cast<size_t>(size);
  }
  check(ftruncate(file.get(), static_cast<off_t>(text.size())), step::kNetworkHosts, path);
}

}  // namespace tsrun
