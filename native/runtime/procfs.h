#pragma once
#include "base/unique_fd.h"
#include "runtime/report.h"

namespace tsrun {

/// A procfs of our own that nobody else can see or cover: what is read and written through it reaches the
/// kernel, whatever the container has at /proc (CVE-2019-16884, CVE-2025-52881). The kind of file system is
/// checked.
UniqueFd openOwnProc(Report& report);

}  // namespace tsrun
