#pragma once
#include <sys/types.h>

#include <initializer_list>
#include <string>

namespace tsrun {

/// Default dispositions, empty mask: whatever the caller had is not ours (Node ignores SIGPIPE, and it would
/// be inherited by every container).
void resetSignals();
/// Blocks all signals, for a process that reads them from a signalfd. Also SIGPIPE: a vanished reader is an
/// EPIPE.
void blockSignals();

/// Marks every fd from 3 up close-on-exec, whoever left it open; 0, 1 and 2 are /dev/null where they were
/// closed.
void sealFds();
/// Lets these fds through the next execve.
void keepFds(std::initializer_list<int> fds);
/// Puts /dev/null on 0, 1 and 2: a monitor must not hold its starter's terminal or pipes.
void releaseStdio();

/// Leaves the starter: a new process in a session of its own goes on, the first one ends with 0.
void detach();

/// What ps shows: the name (15 bytes) and, over the arguments, `title`. `argv` must be main's own.
void setTitle(char** argv, const char* name, const std::string& title);

/// A fork into new namespaces (clone3). `cgroup` is an fd of a v2 directory, or -1. Returns 0 in the child;
/// the pid and an owned pidfd in the parent. -1 with errno.
pid_t cloneProcess(unsigned long long flags, int cgroup, int* pidfd);

}  // namespace tsrun
