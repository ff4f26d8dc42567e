#include <sys/syscall.h>
#include <unistd.h>
#include <csignal>

#include "base/failure.h"
#include "oci/creation.h"
#include "oci/foreground.h"
#include "oci/message.h"
#include "oci/protect.h"

namespace tsrun::oci {

int runVerb(const Context& context) {
  protectProcess(context);
  const bool detach = context.options.flag("detach");
  Creation creation(context, !detach);
  Container container = creation.run();
  try {
    std::optional<Foreground> foreground;
    if (!detach) foreground.emplace();
    startContainer(container, creation.bundle());
    if (detach) return 0;
    // Others may ask for it, or end it, meanwhile.
    container.unlock();
    const int code = foreground->follow(creation.pid(), creation.takeTerminal());
    if (context.options.flag("keep")) return code;
    container.lock();
    destroyContainer(container);
    return code;
  } catch (const Failure& failure) {
    // Of somebody else's `delete` nothing is left to do.
    if (failure.detail == "container does not exist") throw;
    if (const UniqueFd process = container.process())
      syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
    try {
      destroyContainer(container);
    } catch (const Failure& second) {
      log().warning(messageOf(second));
    }
    throw;
  }
}

}  // namespace tsrun::oci
