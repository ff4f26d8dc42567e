#include "runtime/lock.h"

#include <fcntl.h>

#include <cerrno>
#include <string>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

struct flock request(short type, int byte) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

}  // namespace

bool lockByte(int fd, int byte, bool wait) {
  for (;;) {
    struct flock lock = request(F_WRLCK, byte);
    if (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock) == 0) return true;
    if (errno == EAGAIN || errno == EACCES) return false;
    if (errno != EINTR) fail(step::kHelperLock, "byte " + std::to_string(byte));
  }
}

void unlockByte(int fd, int byte) {
  struct flock lock = request(F_UNLCK, byte);
  check(fcntl(fd, F_OFD_SETLK, &lock), step::kHelperLock, "byte " + std::to_string(byte));
}

bool isByteHeld(int fd, int byte) {
  struct flock lock = request(F_WRLCK, byte);
  check(fcntl(fd, F_OFD_GETLK, &lock), step::kHelperLock, "byte " + std::to_string(byte));
  return lock.l_type != F_UNLCK;
}

}  // namespace tsrun
