#pragma once

namespace tsrun {

/// Makes sure that the running executable cannot be written through /proc/<pid>/exe from inside a container
/// (CVE-2019-5736): runs itself again from a detached read-only overlay of its own directory, so that all
/// monitors go on sharing one page cache, or from a sealed memfd where that cannot be had. Returns only in a
/// process that is protected; close-on-exec fds are gone then. Throws Failure(step::kHelperProtect).
void protectSelf(char** argv);

}  // namespace tsrun
