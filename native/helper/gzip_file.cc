#include "helper/gzip_file.h"

#include <fcntl.h>
#include <libdeflate.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "helper/process.h"
#include "runtime/file.h"

namespace tsrun {
namespace {

constexpr std::size_t kMember = 1 << 20;
constexpr int kLevel = 6;

ssize_t readFull(int fd, std::vector<unsigned char>& data) {
  std::size_t size = 0;
  while (size < data.size()) {
    const ssize_t got = read(fd, data.data() + size, data.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(size);
}

/// As gzip members of 1 MiB each.
bool compress(int from, int to) {
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(kLevel);
  if (compressor == nullptr) return false;
  std::vector<unsigned char> in(kMember), out(libdeflate_gzip_compress_bound(compressor, kMember));
  for (;;) {
    const ssize_t got = readFull(from, in);
    if (got <= 0) return got == 0;
    const std::size_t size = libdeflate_gzip_compress(compressor, in.data(), static_cast<std::size_t>(got),
                                                      out.data(), out.size());
    if (size == 0 || !writeAll(to, reinterpret_cast<const char*>(out.data()), size)) return false;
  }
}

bool replace(const std::string& path, int from) {
  const std::string result = path + kGzip, temporary = result + ".part";
  const UniqueFd to(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  struct stat status {};
  if (!to || fstat(from, &status) != 0 || !compress(from, to.get())) {
    unlink(temporary.c_str());
    return false;
  }
  // By it a reader that is in the middle of the old file knows the new one again.
  const timespec times[2] = {status.st_mtim, status.st_mtim};
  return futimens(to.get(), times) == 0 && rename(temporary.c_str(), result.c_str()) == 0 &&
         unlink(path.c_str()) == 0;
}

}  // namespace

UniqueFd compressFile(const std::string& path) {
  UniqueFd from(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!from) return {};
  int pidfd = -1;
  const pid_t pid = cloneProcess(0, -1, &pidfd);
  if (pid < 0) return {};
  if (pid > 0) return UniqueFd(pidfd);
  // The lock, the streams and all else of the monitor: as long as a copy is open the container counts as
  // running, and its pipes do not end.
  const int file = dup2(from.release(), STDIN_FILENO);
  if (close_range(STDERR_FILENO + 1, ~0U, 0) != 0) _exit(1);
  _exit(replace(path, file) ? 0 : 1);
}

void awaitEnd(UniqueFd& pidfd) {
  if (!pidfd) return;
  pollfd end{pidfd.get(), POLLIN, 0};
  while (poll(&end, 1, -1) < 0 && errno == EINTR) {
  }
  pidfd.reset();
}

}  // namespace tsrun
