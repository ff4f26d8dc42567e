#include "runtime/boot.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/steps.h"

namespace tsrun {

std::string bootId() {
  constexpr char kPath[] = "/proc/sys/kernel/random/boot_id";
  UniqueFd file(check(open(kPath, O_RDONLY | O_CLOEXEC), step::kRecord, kPath));
  char text[64];
  const ssize_t length = check(read(file.get(), text, sizeof text), step::kRecord, kPath);
  return std::string(text, static_cast<std::size_t>(length));
}

}  // namespace tsrun
