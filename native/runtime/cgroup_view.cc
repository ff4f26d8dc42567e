#include "runtime/cgroup_view.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "runtime/cgroup.h"
#include "runtime/mount_api.h"
#include "runtime/mounts.h"

namespace tsrun {
namespace {

constexpr std::string_view kNamed = "name=";

std::string baseName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

void CgroupView::prepare(const Spec& spec) {
  const Spec::Namespace* ns = spec.findNamespace("cgroup");
  privateNamespace_ = ns != nullptr;
  bool v1 = false;
  for (const CgroupMount& mount : findCgroupMounts()) {
    Hierarchy hierarchy;
    hierarchy.name = mount.v2 ? "unified" : baseName(mount.path);
    hierarchy.v2 = mount.v2;
    hierarchy.own = mount.path + spec.cgroupsPath;
    if (!mount.v2) {
      v1 = true;
      hierarchy.controllers = mount.controllers;
      // Programs look for "cpu" also where it is mounted as "cpu,cpuacct".
      if (mount.controllers.size() > 1)
        for (const std::string& name : mount.controllers)
          if (name != hierarchy.name) hierarchy.aliases.push_back(name);
    }
    hierarchies_.push_back(std::move(hierarchy));
  }
  unified_ = !v1;
}

UniqueFd CgroupView::makeUnified(std::uint64_t attributes, const char* destination, Report& report) const {
  UniqueFd fs(sys::fsopen("cgroup2"));
  if (!fs) report.die(destination);
  if (sys::setString(fs.get(), "source", "cgroup") < 0 || sys::createSuperblock(fs.get()) < 0)
    dieOfFilesystem(fs.get(), destination, report);
  UniqueFd mount(sys::fsmount(fs.get(), attributes));
  if (!mount) report.die(destination);
  return mount;
}

UniqueFd CgroupView::makeOne(const Hierarchy& hierarchy, std::uint64_t attributes, const char* destination,
                             Report& report) const {
  if (!privateNamespace_) {
    // A fresh mount would show the whole machine's tree; a bind shows the container's own cgroup.
    UniqueFd tree(sys::cloneTree(AT_FDCWD, hierarchy.own.c_str(), false));
    if (!tree || sys::setAttributes(tree.get(), false, attributes, 0) < 0) report.die(hierarchy.own.c_str());
    return tree;
  }
  if (hierarchy.v2) return makeUnified(attributes, destination, report);
  UniqueFd fs(sys::fsopen("cgroup"));
  if (!fs) report.die(destination);
  int failed = sys::setString(fs.get(), "source", "cgroup");
  for (const std::string& controller : hierarchy.controllers) {
    if (failed < 0) break;
    if (!controller.starts_with(kNamed)) {
      failed = sys::setFlag(fs.get(), controller.c_str());
    } else {
      failed = sys::setFlag(fs.get(), "none");
      if (failed == 0) failed = sys::setString(fs.get(), "name", controller.c_str() + kNamed.size());
    }
  }
  if (failed < 0 || sys::createSuperblock(fs.get()) < 0) dieOfFilesystem(fs.get(), destination, report);
  UniqueFd mount(sys::fsmount(fs.get(), attributes));
  if (!mount) report.die(destination);
  return mount;
}

void CgroupView::fill(int directory, std::uint64_t attributes, const char* destination,
                      Report& report) const {
  for (const Hierarchy& hierarchy : hierarchies_) {
    UniqueFd mount = makeOne(hierarchy, attributes, destination, report);
    if (mkdirat(directory, hierarchy.name.c_str(), 0755) < 0) report.die(destination, hierarchy.name.c_str());
    UniqueFd target(openat(directory, hierarchy.name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!target || sys::attach(mount.get(), target.get()) < 0)
      report.die(destination, hierarchy.name.c_str());
    for (const std::string& alias : hierarchy.aliases)
      if (symlinkat(hierarchy.name.c_str(), directory, alias.c_str()) < 0)
        report.die(destination, alias.c_str());
  }
}

}  // namespace tsrun
