#pragma once
/// Names of the steps that make a container, in order. They name errors, the --debug trace and (in test
/// builds) the places where a fault can be injected. One list: use these, never a literal.
namespace tsrun::step {
// monitor
inline constexpr char kUsage[] = "helper.usage";
inline constexpr char kHelperProtect[] = "helper.protect";
inline constexpr char kHelperConfig[] = "helper.config";
inline constexpr char kHelperLock[] = "helper.lock";
inline constexpr char kLedger[] = "ledger";
inline constexpr char kLog[] = "log";
/// `state` and `exit` in the container's directory.
inline constexpr char kRecord[] = "record";
/// The monitor's own event loop and sockets.
inline constexpr char kLoop[] = "monitor.loop";
inline constexpr char kSocket[] = "monitor.socket";
inline constexpr char kRemove[] = "remove";
inline constexpr char kCgroupCreate[] = "cgroup.create";
inline constexpr char kCgroupJoin[] = "cgroup.join";
inline constexpr char kCgroupFreeze[] = "cgroup.freeze";
inline constexpr char kCgroupUpdate[] = "cgroup.update";
inline constexpr char kCgroupRelease[] = "cgroup.release";
inline constexpr char kClone[] = "namespaces.clone";
inline constexpr char kNetworkLease[] = "network.lease";
inline constexpr char kNetworkBridge[] = "network.bridge";
inline constexpr char kNetworkVeth[] = "network.veth";
inline constexpr char kNetworkAddress[] = "network.address";
inline constexpr char kNetworkNat[] = "network.nat";
inline constexpr char kNetworkHosts[] = "network.hosts";
inline constexpr char kNetworkRelease[] = "network.release";
/// Finding a running container and entering its namespaces (exec).
inline constexpr char kJoin[] = "namespaces.join";
// child
inline constexpr char kWaitGo[] = "wait.go";
/// The user namespace: its id maps, and becoming its root.
inline constexpr char kUserNs[] = "namespaces.user";
inline constexpr char kTimeNs[] = "namespaces.time";
inline constexpr char kCgroupNs[] = "namespaces.cgroup";
inline constexpr char kPropagation[] = "mounts.propagation";
inline constexpr char kOverlay[] = "mounts.overlay";
inline constexpr char kMount[] = "mounts.mount";
/// A part of a volume.
inline constexpr char kSubpath[] = "mounts.subpath";
inline constexpr char kCopyUp[] = "mounts.copyup";
inline constexpr char kDevices[] = "rootfs.devices";
/// A hook of the OCI configuration.
inline constexpr char kHook[] = "hook";
inline constexpr char kPivot[] = "rootfs.pivot";
inline constexpr char kReadonly[] = "rootfs.readonly";
inline constexpr char kMask[] = "rootfs.mask";
inline constexpr char kConsole[] = "tty.console";
inline constexpr char kHostname[] = "uts.hostname";
inline constexpr char kSysctl[] = "sysctl";
inline constexpr char kRlimit[] = "process.rlimit";
inline constexpr char kOom[] = "process.oom";
inline constexpr char kKeyring[] = "process.keyring";
inline constexpr char kUser[] = "process.user";
inline constexpr char kCwd[] = "process.cwd";
inline constexpr char kScheduling[] = "process.scheduling";
/// AppArmor and SELinux.
inline constexpr char kConfine[] = "process.confine";
inline constexpr char kSeccomp[] = "process.seccomp";
inline constexpr char kCaps[] = "process.caps";
inline constexpr char kFds[] = "process.fds";
/// Of a container that was created: waiting to be started.
inline constexpr char kGate[] = "process.gate";
/// Looking the program up in PATH and execve itself: a failure here is a 126 or a 127.
inline constexpr char kExec[] = "exec";
}  // namespace tsrun::step
