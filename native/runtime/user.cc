#include "runtime/user.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/unique_fd.h"
#include "runtime/inroot.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

// In .bss: untouched pages of it cost nothing.
gid_t groupIds[kMaxGroups];

/// Opens an account database of the image: nothing but a regular file of bounded size (CVE-2024-9676). It is
/// looked at through an O_PATH fd first, as opening a FIFO or a device already has effects.
UniqueFd openDatabase(int root, int proc, const char* path, Report& report) {
  UniqueFd found(openInRoot(root, path, O_PATH));
  struct stat info;
  if (!found && (errno == ENOENT || errno == ENOTDIR)) return found;
  if (!found || fstat(found.get(), &info) < 0) report.die(path);
  if (!S_ISREG(info.st_mode)) report.die(EINVAL, path, "not a regular file");
  if (static_cast<std::uint64_t>(info.st_size) > kMaxDatabase) report.die(EFBIG, path, "larger than 10 MiB");
  char link[40];
  std::snprintf(link, sizeof link, "self/fd/%d", found.get());
  UniqueFd file(openat(proc, link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) report.die(path);
  return file;
}

/// Then there is but one group that one could be in, and nothing is lost when that is all that was asked for.
bool setgroupsIsDenied(const Identity& identity) {
  return errno == EPERM && identity.groups.count == 1 && identity.groups.ids[0] == identity.gid;
}

void addGroup(Groups& groups, gid_t gid, Report& report) {
  if (groups.count >= kMaxGroups) report.die(E2BIG, "groups");
  groups.ids[groups.count++] = gid;
}

}  // namespace

User::User(const Spec::Process& process, const Launch& launch)
    : text_(launch.user),
      groupAdd_(launch.groupAdd),
      additionalGids_(process.additionalGids),
      byText_(launch.overlay.has_value()),
      uid_(process.uid),
      gid_(process.gid) {
  if (!byText_) text_ = std::to_string(uid_);
  const std::size_t colon = text_.find(':');
  userPart_ = text_.substr(0, colon);
  if (colon != std::string::npos) groupPart_ = text_.substr(colon + 1);
}

Identity User::find(int root, int proc, Report& report) {
  report.step(step::kUser);
  Identity identity;
  identity.groups.ids = groupIds;
  LookupError error;
  const auto must = [&](bool found, const std::string& subject) {
    if (!found) report.die(error.error, subject.c_str(), error.detail);
  };
  UniqueFd passwd = openDatabase(root, proc, "/etc/passwd", report);
  must(findUser(passwd.get(), userPart_, found_, error), userPart_);
  identity.home = found_.home;
  identity.uid = byText_ ? found_.uid : uid_;
  identity.gid = byText_ ? found_.gid : gid_;
  if (byText_ && (!groupPart_.empty() || found_.hasEntry || !groupAdd_.empty())) {
    UniqueFd group = openDatabase(root, proc, "/etc/group", report);
    // A group that is named takes the place of all the groups of the user's entry.
    if (!groupPart_.empty())
      must(findGroup(group.get(), groupPart_, identity.gid, error), groupPart_);
    else if (found_.hasEntry)
      must(findMemberships(group.get(), found_.name, identity.groups, error), userPart_);
    for (const std::string& name : groupAdd_) {
      gid_t gid = 0;
      must(findGroup(group.get(), name, gid, error), name);
      addGroup(identity.groups, gid, report);
    }
  }
  for (unsigned gid : additionalGids_) addGroup(identity.groups, gid, report);
  addGroup(identity.groups, identity.gid, report);
  normalize(identity.groups);
  return identity;
}

void User::become(const Identity& identity, bool inUser, Report& report) {
  report.step(step::kUser);
  // Groups, then gid, then uid: each needs what the next one takes away. As raw calls: glibc's wrappers
  // broadcast to threads that do not exist here and would only need more system calls to be allowed by the
  // filter.
  if (syscall(SYS_setgroups, identity.groups.count, identity.groups.ids) < 0 &&
      !(inUser && setgroupsIsDenied(identity)))
    report.die("setgroups");
  if (syscall(SYS_setresgid, identity.gid, identity.gid, identity.gid) < 0) report.die("setgid");
  if (syscall(SYS_setresuid, identity.uid, identity.uid, identity.uid) < 0) report.die("setuid");
}

}  // namespace tsrun
