#include "runtime/rlimits.h"

#include <sys/resource.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

#include "base/failure.h"
#include "runtime/steps.h"

namespace tsrun {
namespace {

struct Name {
  const char* text;
  int resource;
};
constexpr Name kNames[] = {{"RLIMIT_AS", RLIMIT_AS},
                           {"RLIMIT_CORE", RLIMIT_CORE},
                           {"RLIMIT_CPU", RLIMIT_CPU},
                           {"RLIMIT_DATA", RLIMIT_DATA},
                           {"RLIMIT_FSIZE", RLIMIT_FSIZE},
                           {"RLIMIT_LOCKS", RLIMIT_LOCKS},
                           {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
                           {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
                           {"RLIMIT_NICE", RLIMIT_NICE},
                           {"RLIMIT_NOFILE", RLIMIT_NOFILE},
                           {"RLIMIT_NPROC", RLIMIT_NPROC},
                           {"RLIMIT_RSS", RLIMIT_RSS},
                           {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
                           {"RLIMIT_RTTIME", RLIMIT_RTTIME},
                           {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
                           {"RLIMIT_STACK", RLIMIT_STACK}};

}  // namespace

Rlimits::Rlimits(const std::vector<Spec::Rlimit>& limits) {
  for (const Spec::Rlimit& limit : limits) {
    const Name* found = nullptr;
    for (const Name& name : kNames)
      if (limit.type == name.text) found = &name;
    if (found == nullptr) throw Failure(step::kRlimit, EINVAL, limit.type, "unknown resource limit");
    items_.push_back({found->text, found->resource, limit.soft, limit.hard});
  }
}

void Rlimits::apply(Report& report) const {
  if (items_.empty()) return;
  report.step(step::kRlimit);
  for (const Item& item : items_) {
    const rlimit limit = {item.soft, item.hard};
    if (setrlimit(static_cast<__rlimit_resource_t>(item.resource), &limit) == 0) continue;
    const int error = errno;
    rlimit own{};
    char detail[96];
    getrlimit(static_cast<__rlimit_resource_t>(item.resource), &own);
    std::snprintf(detail, sizeof detail, "hard limit %llu asked for, %llu is the highest possible here",
                  item.hard, static_cast<unsigned long long>(own.rlim_max));
    report.die(error, item.name, error == EPERM ? detail : "");
  }
}

}  // namespace tsrun
