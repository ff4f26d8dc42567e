#pragma once
#include "oci/context.h"

namespace tsrun::oci {

/// Before a container is made or entered: goes on as a copy of this program that nobody inside can reach
/// (CVE-2019-5736). The process begins anew, with all its fds.
void protectProcess(const Context& context);

/// Default signals, and every fd close-on-exec but those that the program in the container keeps.
void sealProcess(unsigned preserved);

}  // namespace tsrun::oci
