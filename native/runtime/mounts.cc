#include "runtime/mounts.h"

#include <linux/magic.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "base/failure.h"
#include "runtime/copy_tree.h"
#include "runtime/inroot.h"
#include "runtime/labels.h"
#include "runtime/mount_api.h"
#include "runtime/rootfs.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

// What lxcfs provides over procfs; anything else at or below /proc would stand where the engine itself, or a
// program that trusts the kernel, reads and writes (CVE-2019-16884, CVE-2025-52881).
constexpr std::string_view kProcFiles[] = {"cpuinfo",  "diskstats", "loadavg", "meminfo",
                                           "slabinfo", "stat",      "swaps",   "uptime"};
constexpr char kShm[] = "/dev/shm";
constexpr char kProcRefused[] = "cannot be mounted because it is inside /proc";

bool isBelow(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

/// `path` absolute, without ".", ".." and doubled slashes.
std::string cleanPath(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string part = path.substr(at, end - at);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    at = end + 1;
  }
  std::string result;
  for (const std::string& part : parts) result += "/" + part;
  return result.empty() ? "/" : result;
}

/// Whether the rules of /proc allow `type` at the resolved path.
bool allowedByProc(std::string_view path, std::string_view type) {
  if (!isBelow(path, "/proc")) return true;
  if (path == "/proc") return type == "proc";
  return std::ranges::any_of(kProcFiles, [&](std::string_view file) { return path.substr(6) == file; });
}

void recordStub(int stubs, int root, int fd, const char* destination, Report& report) {
  char path[PATH_MAX];
  if (stubs < 0) return;
  if (!pathInRoot(root, fd, path, sizeof path)) report.die(EXDEV, destination);
  const std::size_t size = std::strlen(path) + 1;
  if (write(stubs, path, size) != static_cast<ssize_t>(size)) report.die(destination, "stubs");
}

/// tmpcopyup: what lies at the place of a tmpfs goes into it.
void copyInto(int mount, int target, const char* destination, Report& report) {
  const UniqueFd from(openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd to(openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  CopyError error;
  if (!from || !to) report.die(destination);
  if (!copyTree(from.get(), to.get(), error)) report.die(error.error, destination, error.path);
}

}  // namespace

void dieOfFilesystem(int fs, const char* subject, Report& report) {
  const int error = errno;
  char message[256];
  const ssize_t length = read(fs, message, sizeof message - 1);
  message[length > 0 ? length : 0] = '\0';
  message[std::strcspn(message, "\n")] = '\0';
  // The kernel's messages start with their level: "e tmpfs: Bad value for 'size'".
  report.die(error, subject, length > 2 && message[1] == ' ' ? message + 2 : message);
}

MountTarget openMountTarget(int root, const char* destination, bool directory, bool realDirectory, int stubs,
                            Report& report) {
  const Links links = realDirectory ? Links::refuse : Links::follow;
  Ensured found = ensureInRoot(root, destination, directory ? Kind::directory : Kind::file, links);
  const char* ordinary = realDirectory ? "must be mounted on ordinary directory, not through a link" : "";
  if (!found.fd) report.die(destination, ordinary);
  struct stat info;
  if (fstat(found.fd.get(), &info) < 0) report.die(destination);
  if (realDirectory && !S_ISDIR(info.st_mode)) report.die(ENOTDIR, destination, ordinary);
  if (found.created && !directory) recordStub(stubs, root, found.fd.get(), destination, report);
  return {std::move(found.fd), found.created};
}

Mounts::Mounts(const Spec& spec, const Launch& launch, const std::string& bundle, bool inUser)
    : inUser_(inUser), rootPropagation_(propagationFlags(spec.rootfsPropagation)) {
  bool hasCgroup = false;
  for (const Spec::Mount& mount : spec.mounts) {
    Plan plan;
    plan.destination = cleanPath(mount.destination);
    plan.type = mount.type;
    plan.source = mount.source;
    plan.options = parseMountOptions(mount.options);
    plan.maps = {mount.uidMappings, mount.gidMappings};
    if (plan.type == "bind" || plan.options.bind) {
      plan.type = "bind";
      plan.options.bind = true;
      if (!plan.options.data.empty())
        throw Failure(step::kMount, EINVAL, mount.destination,
                      "not an option of a bind mount: " + plan.options.data.front().first);
      if (!plan.source.starts_with('/')) plan.source = bundle + "/" + plan.source;
      bindsDev_ |= plan.destination == "/dev";
      for (const Launch::Subpath& part : launch.subpaths)
        if (part.destination == mount.destination) plan.subpath = part.subpath;
    }
    if (plan.destination == "/") throw Failure(step::kMount, EINVAL, "/", "cannot mount over the root");
    if (!allowedByProc(plan.destination, plan.type))
      throw Failure(step::kMount, EINVAL, mount.destination, kProcRefused);
    if (plan.options.copyUp && plan.type != "tmpfs")
      throw Failure(step::kMount, EINVAL, mount.destination, "tmpcopyup is an option of tmpfs");
    checkMappings(spec, plan);
    addLabel(spec.mountLabel, plan.type, plan.options);
    hasCgroup |= plan.type == "cgroup" || plan.type == "cgroup2";
    plans_.push_back(std::move(plan));
  }
  if (hasCgroup) cgroups_.prepare(spec);
  if (!launch.join.ipc.empty() && !bindsDev_) addShm();
}

void Mounts::checkMappings(const Spec& spec, const Plan& plan) const {
  const auto refuse = [&](const char* why) { throw Failure(step::kMount, EINVAL, plan.destination, why); };
  if (!plan.options.mapIds && plan.maps.empty()) return;
  if (plan.type != "bind") refuse("only the ids of a bind mount can be mapped");
  if (plan.maps.uids.empty() != plan.maps.gids.empty()) refuse("uidMappings and gidMappings go together");
  if (plan.maps.empty() && spec.uidMappings.empty() && !inUser_)
    refuse("idmap needs mappings, the mount's own or those of a user namespace");
}

bool Mounts::hasIdMaps() const {
  return std::ranges::any_of(plans_,
                             [](const Plan& plan) { return plan.options.mapIds || !plan.maps.empty(); });
}

void Mounts::prepareIdMaps(int own) {
  for (Plan& plan : plans_) {
    if (!plan.options.mapIds && plan.maps.empty()) continue;
    if (plan.maps.empty()) {
      plan.mappedBy = own;
      continue;
    }
    // Mounts with the same maps share one: the volumes of a container have mostly the same.
    for (const Plan& other : plans_)
      if (other.ids && other.maps == plan.maps) plan.mappedBy = other.ids.get();
    if (plan.mappedBy >= 0) continue;
    plan.ids = makeUserNamespace(plan.maps);
    plan.mappedBy = plan.ids.get();
  }
}

void Mounts::takeSources(bool all, Report& report) {
  report.step(step::kMount);
  for (Plan& plan : plans_) {
    if (plan.options.bind && !plan.tree && (all || plan.mappedBy >= 0)) plan.tree = cloneSource(plan, report);
    if (plan.mappedBy < 0) continue;
    if (sys::mapIds(plan.tree.get(), plan.options.recursiveIds, plan.mappedBy) < 0)
      report.die(errno, plan.destination.c_str(),
                 "its ids cannot be mapped: not by this file system or kernel");
  }
}

void Mounts::takeQueues(Report& report) {
  report.step(step::kMount);
  for (Plan& plan : plans_)
    if (plan.type == "mqueue" && !plan.tree) plan.tree = makeFilesystem(plan, plan.options.mount.set, report);
}

void Mounts::addShm() {
  if (std::ranges::any_of(plans_, [](const Plan& plan) { return plan.destination == kShm; })) return;
  Plan plan;
  plan.destination = kShm;
  plan.type = "bind";
  plan.options = parseMountOptions({"bind", "private", "nosuid", "nodev", "noexec"});
  // On top of /dev, and below what the user has put into it.
  const auto dev = std::ranges::find(plans_, "/dev", &Plan::destination);
  const auto at = plans_.insert(dev == plans_.end() ? plans_.begin() : dev + 1, std::move(plan));
  shm_ = static_cast<std::size_t>(at - plans_.begin());
}

void Mounts::takeShm(int donor, Report& report) {
  if (!shm_ || plans_[*shm_].tree) return;
  report.step(step::kMount);
  UniqueFd own(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  UniqueFd ownRoot(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!own || !ownRoot) report.die("mnt");
  // A mount can be cloned only by who is in its namespace.
  if (setns(donor, CLONE_NEWNS) < 0) report.die("setns", kShm);
  UniqueFd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) report.die("/", kShm);
  UniqueFd place(openInRoot(root.get(), kShm, O_PATH | O_DIRECTORY, Links::refuse));
  if (!place) report.die(kShm);
  // Not a directory of the donor's root file system: it would share more than memory.
  struct statx info {};
  if (statx(place.get(), "", AT_EMPTY_PATH, 0, &info) < 0) report.die(kShm);
  if ((info.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0)
    report.die(EINVAL, kShm, "the other container has no file system there");
  plans_[*shm_].tree.reset(sys::cloneTree(place.get(), "", false));
  if (!plans_[*shm_].tree) report.die(kShm);
  // Back, also to the root that we had there.
  if (setns(own.get(), CLONE_NEWNS) < 0 || fchdir(ownRoot.get()) < 0 || chroot(".") < 0)
    report.die("setns", kShm);
}

void Mounts::isolate(Report& report) {
  report.step(step::kPropagation);
  for (Plan& plan : plans_) {
    const bool receives = plan.options.propagation == MS_SHARED || plan.options.propagation == MS_SLAVE;
    if (plan.options.bind && receives && !plan.tree) plan.tree = cloneSource(plan, report);
  }
  // What is bound and does not say otherwise hears of the host's mounts, unless the whole root must not.
  const bool deaf = (rootPropagation_ & (MS_PRIVATE | MS_UNBINDABLE)) != 0;
  if (sys::mount(nullptr, "/", nullptr, (deaf ? MS_PRIVATE : MS_SLAVE) | MS_REC, nullptr) < 0)
    report.die("/");
}

UniqueFd Mounts::cloneSource(Plan& plan, Report& report) {
  UniqueFd tree;
  if (plan.subpath.empty()) {
    tree.reset(sys::cloneTree(AT_FDCWD, plan.source.c_str(), plan.options.recursive));
    if (!tree) report.die(plan.source.c_str());
  } else {
    // Whoever writes to the volume chose what lies in it.
    const char* before = report.current();
    report.step(step::kSubpath);
    UniqueFd volume(open(plan.source.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!volume) report.die(plan.source.c_str());
    UniqueFd part(openBeneath(volume.get(), plan.subpath.c_str(), O_PATH));
    if (part) tree.reset(sys::cloneTree(part.get(), "", plan.options.recursive));
    if (!tree) report.die(plan.source.c_str(), plan.subpath.c_str());
    report.step(before);
  }
  struct stat info;
  if (fstat(tree.get(), &info) < 0) report.die(plan.source.c_str());
  plan.isDirectory = S_ISDIR(info.st_mode);
  return tree;
}

UniqueFd Mounts::makeFilesystem(Plan& plan, std::uint64_t attributes, Report& report) {
  const char* subject = plan.destination.c_str();
  UniqueFd fs(sys::fsopen(plan.type.c_str()));
  const bool showsNamespace = plan.type == "proc" || plan.type == "sysfs";
  if (!fs && errno == EPERM && inUser_ && showsNamespace) return bindHosts(plan, report);
  if (!fs && errno == ENODEV) report.die(ENODEV, subject, "this kernel does not have this file system");
  if (!fs) report.die(subject, plan.type.c_str());
  const std::string& source = plan.source.empty() ? plan.type : plan.source;
  int failed = sys::setString(fs.get(), "source", source.c_str());
  for (const auto& [key, value] : plan.options.data) {
    if (failed < 0) break;
    failed = value.empty() ? sys::setFlag(fs.get(), key.c_str())
                           : sys::setString(fs.get(), key.c_str(), value.c_str());
  }
  const bool made = failed == 0 && sys::createSuperblock(fs.get()) == 0;
  if (!made && errno == EPERM && inUser_ && showsNamespace) return bindHosts(plan, report);
  if (!made) dieOfFilesystem(fs.get(), subject, report);
  UniqueFd mount(sys::fsmount(fs.get(), attributes));
  if (!mount) report.die(subject);
  return mount;
}

UniqueFd Mounts::makeBind(Plan& plan, Report& report) {
  const MountOptions& options = plan.options;
  UniqueFd mount = plan.tree ? std::move(plan.tree) : cloneSource(plan, report);
  // In one call each and before it is attached: there is no moment at which a read-only bind can be written.
  // What the source's own mount forbids stays forbidden: nothing is cleared but what was asked for.
  if (options.tree.any() && sys::setAttributes(mount.get(), true, options.tree.set, options.tree.clear) < 0)
    report.die(plan.destination.c_str());
  if (options.mount.any() &&
      sys::setAttributes(mount.get(), false, options.mount.set, options.mount.clear) < 0)
    report.die(plan.destination.c_str());
  return mount;
}

/// In the place of a file system that shows a namespace which is not our user namespace's: the host's
/// instance of it, read-only if that is /sys.
UniqueFd Mounts::bindHosts(Plan& plan, Report& report) {
  const char* destination = plan.destination.c_str();
  const char* path = plan.type == "proc" ? "/proc" : "/sys";
  UniqueFd tree(sys::cloneTree(AT_FDCWD, path, true));
  if (!tree) report.die(destination, path);
  constexpr std::uint64_t kGuarded = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  const std::uint64_t readOnly = plan.type == "sysfs" ? MOUNT_ATTR_RDONLY : 0;
  if (sys::setAttributes(tree.get(), true, kGuarded | readOnly, 0) < 0 ||
      (plan.options.mount.any() && sys::setAttributes(tree.get(), false, plan.options.mount.set, 0) < 0))
    report.die(destination, path);
  return tree;
}

UniqueFd Mounts::makeOf(Plan& plan, std::uint64_t attributes, Report& report) {
  const char* destination = plan.destination.c_str();
  if (plan.options.bind) return makeBind(plan, report);
  if (plan.tree) return std::move(plan.tree);
  const bool isCgroup = plan.type == "cgroup" || plan.type == "cgroup2";
  if (isCgroup && cgroups_.unified()) return cgroups_.makeUnified(attributes, destination, report);
  if (!isCgroup) return makeFilesystem(plan, attributes, report);
  UniqueFd mount(sys::fsopen("tmpfs"));
  if (!mount || sys::setString(mount.get(), "mode", "755") < 0 || sys::createSuperblock(mount.get()) < 0)
    dieOfFilesystem(mount.get(), destination, report);
  mount.reset(sys::fsmount(mount.get(), attributes));
  if (!mount) report.die(destination);
  return mount;
}

void Mounts::makeOne(Plan& plan, int root, int stubs, Report& report) {
  const MountOptions& options = plan.options;
  const char* destination = plan.destination.c_str();
  const bool isCgroupTree = (plan.type == "cgroup" || plan.type == "cgroup2") && !cgroups_.unified();
  const bool isTmpfs = plan.type == "tmpfs";
  const bool readOnlyLater = (isTmpfs || isCgroupTree) && (options.mount.set & MOUNT_ATTR_RDONLY) != 0;
  const std::uint64_t attributes = readOnlyLater ? options.mount.set & ~MOUNT_ATTR_RDONLY : options.mount.set;

  UniqueFd mount = makeOf(plan, attributes, report);
  if (options.propagation != 0 &&
      sys::setAttributes(mount.get(), options.recursivePropagation, 0, 0, options.propagation) < 0)
    report.die(destination);

  // procfs and sysfs go to real directories only: through a link of the image the masks would end elsewhere.
  const bool realDirectory = plan.type == "proc" || plan.type == "sysfs";
  MountTarget target = openMountTarget(root, destination, plan.isDirectory, realDirectory, stubs, report);
  struct stat info;
  struct statfs filesystem;
  char path[PATH_MAX];
  if (fstat(target.fd.get(), &info) < 0 || fstatfs(target.fd.get(), &filesystem) < 0) report.die(destination);
  if (S_ISDIR(info.st_mode) != plan.isDirectory)
    report.die(ENOTDIR, options.bind ? plan.source.c_str() : destination, destination);
  // Once more on what the path came to: a link may lead to / or into /proc.
  if (!pathInRoot(root, target.fd.get(), path, sizeof path) || std::strcmp(path, "/") == 0)
    report.die(EINVAL, destination, "cannot mount over the root");
  const bool strayProc = filesystem.f_type == PROC_SUPER_MAGIC && !isBelow(path, "/proc");
  if (strayProc || !allowedByProc(path, plan.type)) report.die(EINVAL, destination, kProcRefused);

  if (options.copyUp && !target.created) copyInto(mount.get(), target.fd.get(), destination, report);
  if (sys::attach(mount.get(), target.fd.get()) < 0) report.die(destination);
  // A tmpfs over an existing directory keeps its mode, unless one was asked for.
  const bool hasMode =
      std::ranges::any_of(options.data, [](const auto& item) { return item.first == "mode"; });
  if (isTmpfs && !target.created && !hasMode && fchmodat(mount.get(), ".", info.st_mode & 07777, 0) < 0)
    report.die(destination);
  if (isCgroupTree) {
    cgroups_.fill(mount.get(), options.mount.set, destination, report);
    if (readOnlyLater && sys::setAttributes(mount.get(), false, MOUNT_ATTR_RDONLY, 0) < 0)
      report.die(destination);
  } else if (readOnlyLater) {
    plan.readOnly = std::move(mount);
  }
}

void Mounts::make(int root, int stubs, Report& report) {
  report.step(step::kMount);
  for (Plan& plan : plans_) makeOne(plan, root, stubs, report);
}

void Mounts::finish(Report& report) {
  for (Plan& plan : plans_) {
    if (!plan.readOnly) continue;
    if (sys::setAttributes(plan.readOnly.get(), false, MOUNT_ATTR_RDONLY, 0) < 0)
      report.die(plan.destination.c_str());
    plan.readOnly.reset();
  }
}

}  // namespace tsrun
