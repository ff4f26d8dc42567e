#include "layer/copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/failure.h"
#include "layer/attributes.h"
#include "layer/bytes.h"
#include "layer/in_root.h"
#include "layer/layer_steps.h"

namespace tsrun {
namespace {

constexpr const char* kStep = step::kLayerEntry;

void copyData(int from, int to, off_t size, const std::string& subject) {
  std::vector<unsigned char> buffer(128 << 10);
  off_t at = 0;
  while (at < size) {
    const off_t data = lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only a hole is left
    check(data, kStep, subject);
    const off_t hole = check(lseek(from, data, SEEK_HOLE), kStep, subject);
    check(lseek(from, data, SEEK_SET), kStep, subject);
    check(lseek(to, data, SEEK_SET), kStep, subject);
    for (at = data; at < hole;) {
      const std::size_t want = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(hole - at));
      const std::size_t got = readSome(from, buffer.data(), want, kStep, subject);
      if (got == 0) throw Failure(kStep, EIO, subject, "file became shorter");
      writeAll(to, buffer.data(), got, kStep, subject);
      at += static_cast<off_t>(got);
    }
  }
  check(ftruncate(to, size), kStep, subject);
}

}  // namespace

void copyNode(const LowerDir::Found& from, int toDir, const std::string& name, const std::string& subject) {
  const struct stat& status = from.status;
  const Attributes attributes = attributesOf(Node::child(from.dir, name), status, subject);
  if (S_ISREG(status.st_mode)) {
    const UniqueFd source(check(openChild(from.dir, name, O_RDONLY), kStep, subject));
    const UniqueFd copy(
        check(openat(toDir, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), kStep,
              subject));
    copyData(source.get(), copy.get(), status.st_size, subject);
    setAttributes(Node::opened(copy.get()), attributes, true, subject);
    return;
  }
  if (S_ISLNK(status.st_mode)) {
    check(symlinkat(readLink(from.dir, name, kStep).c_str(), toDir, name.c_str()), kStep, subject);
  } else if (S_ISDIR(status.st_mode) || S_ISSOCK(status.st_mode)) {
    throw Failure(kStep, EPERM, subject, "cannot be hard linked");
  } else {
    check(mknodat(toDir, name.c_str(), status.st_mode, status.st_rdev), kStep, subject);
  }
  setAttributes(Node::child(toDir, name), attributes, true, subject);
}

}  // namespace tsrun
