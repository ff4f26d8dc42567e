#include "runtime/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failure.h"
#include "base/unique_fd.h"

namespace tsrun {
namespace {

constexpr off_t kMaxFile = 64 << 20;

}  // namespace

std::string readFile(const std::string& path, const char* step) {
  UniqueFd file(check(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK), step, path));
  struct stat status {};
  check(fstat(file.get(), &status), step, path);
  if (!S_ISREG(status.st_mode)) throw Failure(step, EINVAL, path, "not a regular file");
  if (status.st_size > kMaxFile) throw Failure(step, EFBIG, path);
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    check(got, step, path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  content.resize(size);
  return content;
}

bool writeAll(int fd, const char* data, std::size_t length) {
  while (length > 0) {
    const ssize_t done = write(fd, data, length);
    if (done < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    data += done;
    length -= static_cast<std::size_t>(done);
  }
  return true;
}

void replaceFile(const std::string& directory, const std::string& name, const std::string& content,
                 bool durable, const char* step) {
  const std::string path = directory + "/" + name, temporary = path + ".tmp";
  // There is one writer: whoever holds the container's lock. What a killed one left is overwritten.
  UniqueFd file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) fail(step, temporary);
  if (!writeAll(file.get(), content.data(), content.size()) || (durable && fsync(file.get()) != 0) ||
      rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    throw Failure(step, error, path);
  }
  if (!durable) return;
  UniqueFd parent(check(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), step, directory));
  check(fsync(parent.get()), step, directory);
}

void removeFile(const std::string& path, const char* step) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) fail(step, path);
}

}  // namespace tsrun
