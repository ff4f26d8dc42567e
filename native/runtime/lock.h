#pragma once

namespace tsrun {

/// Bytes of a container's `lock` file.
inline constexpr int kMonitorByte = 0;    ///< held by the monitor for as long as it lives
inline constexpr int kOperationByte = 1;  ///< held by whoever operates on the container

/// Takes an OFD write lock on one byte: it belongs to the open file, so it ends when the last copy of `fd` is
/// closed, and a forked child shares it. False if it is held by somebody else and `wait` is false. Throws
/// Failure(step::kHelperLock).
bool lockByte(int fd, int byte, bool wait);
void unlockByte(int fd, int byte);
/// Asks, without taking it. Locks held through `fd` itself do not count.
bool isByteHeld(int fd, int byte);

}  // namespace tsrun
