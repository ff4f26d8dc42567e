#include "helper/fd_message.h"

#include <sys/socket.h>

#include <cerrno>

namespace tsrun {

FdMessage receiveFd(int socket) {
  char byte;
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  FdMessage result;
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
    result.again = true;
    return result;
  }
  if (got > 0) result.byte = byte;
  const cmsghdr* header = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS)
    result.fd = UniqueFd(*reinterpret_cast<const int*>(CMSG_DATA(header)));
  return result;
}

}  // namespace tsrun
