#include "oci/read_all.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/steps.h"

namespace tsrun::oci {

std::string readAll(const std::string& file) {
  constexpr std::size_t kMost = 64 << 20;
  UniqueFd opened;
  if (file != "-") opened.reset(check(open(file.c_str(), O_RDONLY | O_CLOEXEC), step::kHelperConfig, file));
  const int fd = opened ? opened.get() : STDIN_FILENO;
  std::string text;
  char data[16 << 10];
  for (;;) {
    const ssize_t got = read(fd, data, sizeof data);
    if (got < 0 && errno == EINTR) continue;
    check(got, step::kHelperConfig, file);
    if (got == 0) return text;
    text.append(data, static_cast<std::size_t>(got));
    if (text.size() > kMost) throw Failure(step::kHelperConfig, EFBIG, file);
  }
}

}  // namespace tsrun::oci
