#include "runtime/labels.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/failure.h"
#include "base/unique_fd.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

bool runsSelinux() {
  struct statfs info;
  return statfs("/sys/fs/selinux", &info) == 0 && info.f_type == SELINUX_MAGIC;
}

bool runsAppArmor() {
  char answer = 'N';
  UniqueFd file(open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC));
  return file && read(file.get(), &answer, 1) == 1 && answer == 'Y';
}

constexpr char kNoSelinux[] = "SELinux does not run on this machine";

/// AppArmor's own file where several modules run (5.8 and later), else the one of whichever runs.
void writeAttribute(int proc, const char* file, const char* fallback, const std::string& text,
                    const std::string& subject, Report& report) {
  UniqueFd attribute(openat(proc, file, O_WRONLY | O_CLOEXEC));
  if (!attribute && errno == ENOENT && fallback != nullptr)
    attribute.reset(openat(proc, fallback, O_WRONLY | O_CLOEXEC));
  if (!attribute || write(attribute.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    report.die(subject.c_str(), errno == ENOENT ? "the profile is not loaded" : "");
}

}  // namespace

void addLabel(const std::string& label, const std::string& type, MountOptions& options) {
  if (label.empty()) return;
  if (!runsSelinux()) throw Failure(step::kMount, ENOTSUP, "mountLabel", kNoSelinux);
  // These have labels of their own, file by file; a bind has those of what is bound.
  for (const char* own : {"bind", "proc", "sysfs", "cgroup", "cgroup2", "mqueue"})
    if (type == own) return;
  options.data.emplace_back("context", label);
}

Confinement::Confinement(const Spec::Process& process)
    : profile_(process.apparmorProfile), label_(process.selinuxLabel) {
  const bool hasAppArmor = runsAppArmor();
  if (profile_ == "unconfined" && !hasAppArmor) profile_.clear();
  if (!profile_.empty() && !hasAppArmor)
    throw Failure(step::kConfine, ENOTSUP, profile_, "AppArmor does not run on this machine");
  onExec_ = "exec " + profile_;
  if (!label_.empty() && !runsSelinux()) throw Failure(step::kConfine, ENOTSUP, label_, kNoSelinux);
}

void Confinement::apply(int proc, Report& report) const {
  if (profile_.empty() && label_.empty()) return;
  report.step(step::kConfine);
  if (!profile_.empty()) {
    writeAttribute(proc, "self/attr/apparmor/exec", "self/attr/exec", onExec_, profile_, report);
  }
  if (!label_.empty()) writeAttribute(proc, "self/attr/exec", nullptr, label_, label_, report);
}

}  // namespace tsrun
