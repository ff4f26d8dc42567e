#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

namespace tsrun::oci {

/// Sends `fd` to whoever listens at the unix socket `path`, with `text` as the message. Throws
/// Failure(step::kConsole).
void sendFdTo(const std::string& path, int fd, const std::string& text);

/// Sends the master of a terminal to a console socket, with its slave's name.
void sendTerminal(const std::string& path, int master);

/// Writes `file` so that whoever sees it sees all of it. Throws Failure(step::kRecord).
void writePidFile(const std::string& file, pid_t pid);

/// Fails unless fds 3 to 2+`count` are open; adds those of LISTEN_FDS to the count and makes them known in
/// `environment`.
unsigned preservedFds(unsigned count, std::vector<std::string>& environment);

}  // namespace tsrun::oci
