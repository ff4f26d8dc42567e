#include "runtime/console.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/failure.h"
#include "runtime/inroot.h"
#include "runtime/mount_api.h"
#include "runtime/steps.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

namespace tsrun {
namespace {

UniqueFd openMaster(int root, Report& report) {
  // The multiplexer of the instance itself, not the link /dev/ptmx; and it must be a devpts (CVE-2025-52565).
  UniqueFd master(openInRoot(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY, Links::refuse));
  struct statfs info;
  if (!master || fstatfs(master.get(), &info) < 0) report.die("/dev/pts/ptmx");
  if (info.f_type != DEVPTS_SUPER_MAGIC) report.die(ENODEV, "/dev/pts/ptmx", "not a devpts");
  return master;
}

UniqueFd openSlave(int master, Report& report) {
  const int unlocked = 0;
  if (ioctl(master, TIOCSPTLCK, &unlocked) < 0) report.die("/dev/pts/ptmx");
  // From the master and never by a path: /dev/pts/N may be anything by now.
  UniqueFd slave(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave) report.die("/dev/pts");
  return slave;
}

void sendMaster(int sync, int master, Report& report) {
  char byte = kTerminal;
  iovec part = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &master, sizeof master);
  if (sendmsg(sync, &message, MSG_NOSIGNAL) < 0) report.die("sync socket");
}

void bindConsole(int root, int slave, Report& report) {
  constexpr char path[] = "/dev/console";
  Ensured target = ensureInRoot(root, path, Kind::file, Links::refuse);
  if (!target.fd) report.die(path);
  UniqueFd tree(sys::cloneTree(slave, "", false));
  if (!tree || sys::attach(tree.get(), target.fd.get()) < 0) report.die(path);
}

/// Puts `sources` on 0, 1 and 2 whatever numbers they have themselves.
void installStdio(const int (&sources)[3], Report& report) {
  int high[3];
  for (int i = 0; i < 3; i++) {
    high[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, 3);
    if (high[i] < 0) report.die("stdio");
  }
  for (int i = 0; i < 3; i++) {
    if (dup2(high[i], i) < 0) report.die("stdio");
    close(high[i]);
  }
}

}  // namespace

void setUpStdio(const ChildFds& fds, bool terminal, const std::optional<Launch::Size>& size, int root,
                Console console, Report& report) {
  report.step(step::kConsole);
  // A session of its own in every case: no controlling terminal of the caller is left to push input into.
  if (setsid() < 0) report.die("setsid");
  if (!terminal) return installStdio({fds.in, fds.out, fds.err}, report);

  UniqueFd master = openMaster(root, report);
  UniqueFd slave = openSlave(master.get(), report);
  if (size) {
    winsize window{};
    window.ws_row = size->rows;
    window.ws_col = size->cols;
    if (ioctl(master.get(), TIOCSWINSZ, &window) < 0) report.die("/dev/console");
  }
  sendMaster(fds.sync, master.get(), report);
  if (console == Console::bind) bindConsole(root, slave.get(), report);
  if (ioctl(slave.get(), TIOCSCTTY, 0) < 0) report.die("/dev/console");
  installStdio({slave.get(), slave.get(), slave.get()}, report);
  if (fchmod(0, 0620) < 0) report.die("/dev/console");
}

void givePipes(const ChildFds& fds, unsigned uid) {
  for (const int fd : {fds.in, fds.out, fds.err}) {
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0 || !S_ISFIFO(info.st_mode)) continue;
    check(fchown(fd, uid, static_cast<gid_t>(-1)), step::kConsole, "pipe");
  }
}

void giveStdio(unsigned uid, bool inUser, Report& report) {
  for (int fd = 0; fd < 3; fd++) {
    struct stat info;
    if (fstat(fd, &info) < 0) report.die("stdio");
    const bool own = S_ISFIFO(info.st_mode) || (S_ISCHR(info.st_mode) && isatty(fd) == 1);
    if (!own || info.st_uid == uid || fchown(fd, uid, static_cast<gid_t>(-1)) == 0) continue;
    if (!inUser || (errno != EPERM && errno != EINVAL)) report.die("stdio");
  }
}

}  // namespace tsrun
