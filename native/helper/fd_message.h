#pragma once
#include "base/unique_fd.h"

namespace tsrun {

/// The one message with an fd in it that a container's process sends: the master of its terminal.
struct FdMessage {
  UniqueFd fd;         ///< empty at the end of the socket
  bool again = false;  ///< nothing has come yet
};
FdMessage receiveFd(int socket);

}  // namespace tsrun
