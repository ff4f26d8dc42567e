#pragma once
#include "base/unique_fd.h"

namespace tsrun {

/// What a container's process sends: a byte that says what it is (runtime/child.h), and perhaps an fd.
struct FdMessage {
  UniqueFd fd;         ///< empty at the end of the socket
  char byte = 0;       ///< 0 at the end of the socket
  bool again = false;  ///< nothing has come yet
};
FdMessage receiveFd(int socket);

}  // namespace tsrun
