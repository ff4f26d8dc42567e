// Stands for the helper: hands its arguments and its fds 0 to 2 to the server at `socket` beside it, and ends as the
// verb ended there.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char* what) {
  perror(what);
  exit(2);
}

static void request(int server, int argc, char** argv) {
  static char text[1 << 17];
  size_t size = 0;
  for (int i = 1; i < argc; ++i) {
    const size_t length = strlen(argv[i]) + 1;
    if (size + length > sizeof text) fail("arguments");
    memcpy(text + size, argv[i], length);
    size += length;
  }
  const int fds[3] = {0, 1, 2};
  char control[CMSG_SPACE(sizeof fds)] = {0};
  struct iovec part = {text, size};
  struct msghdr message = {0};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fds);
  memcpy(CMSG_DATA(header), fds, sizeof fds);
  if (sendmsg(server, &message, 0) < 0) fail("send");
}

int main(int argc, char** argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char* slash = strrchr(argv[0], '/');
  const int folder = slash ? (int)(slash - argv[0]) : 0;
  snprintf(address.sun_path, sizeof address.sun_path, "%.*s/socket", folder, argv[0]);
  const int server = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  if (server < 0 || connect(server, (struct sockaddr*)&address, sizeof address) != 0) fail(address.sun_path);
  request(server, argc, argv);
  int status = 0;
  if (recv(server, &status, sizeof status, 0) != sizeof status) fail("answer");
  if (WIFSIGNALED(status)) {
    signal(WTERMSIG(status), SIG_DFL);
    kill(getpid(), WTERMSIG(status));
  }
  return WEXITSTATUS(status);
}
