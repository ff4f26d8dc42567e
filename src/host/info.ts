/** The rest of what `info` shows, and what this machine lacks. */
import { probeCpus } from './cpus.js';
import type { HostFacts, HostInfo } from './facts.js';
import { type HostSource, thisMachine } from './source.js';

/** `root` is the store's root, or its nearest directory that exists. */
export function probeInfo(facts: HostFacts, root: string, source: HostSource = thisMachine): HostInfo {
  return {
    operatingSystem: operatingSystem(
      source.read('/etc/os-release') ?? source.read('/usr/lib/os-release') ?? '',
    ),
    ncpu: probeCpus(source).count,
    memTotal: Number(/^MemTotal:\s+(\d+) kB/m.exec(source.read('/proc/meminfo') ?? '')?.[1] ?? 0) * 1024,
    backingFilesystem: FILESYSTEMS[source.filesystemType(root) ?? 0] ?? 'unknown',
    securityOptions: securityOptions(source),
    warnings: warnings(facts, source),
  };
}

const FILESYSTEMS: Record<number, string> = {
  16914836: 'tmpfs',
  26985: 'nfs',
  61267: 'extfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlayfs',
  801189825: 'zfs',
  4076150800: 'f2fs',
  3393526350: 'bcachefs',
  1702057286: 'fuse',
};

function operatingSystem(text: string): string {
  const field = (name: string) => new RegExp(`^${name}=(["']?)(.*)\\1$`, 'm').exec(text)?.[2];
  return field('PRETTY_NAME') ?? field('NAME') ?? 'Linux';
}

function lsms(source: HostSource): string[] {
  return (source.read('/sys/kernel/security/lsm') ?? '').trim().split(',');
}

function securityOptions(source: HostSource): string[] {
  const options: string[] = [];
  if (source.read('/sys/module/apparmor/parameters/enabled')?.startsWith('Y')) options.push('name=apparmor');
  if (hasSeccomp(source)) options.push('name=seccomp,profile=builtin');
  if (source.exists('/sys/fs/selinux/enforce') && lsms(source).includes('selinux'))
    options.push('name=selinux');
  return [...options, 'name=cgroupns'];
}

function hasSeccomp(source: HostSource): boolean {
  return /^Seccomp:/m.test(source.read('/proc/self/status') ?? '');
}

/** Controllers whose absence takes away something that a user can ask for. */
const WANTED: Record<string, string> = {
  memory: 'memory limits',
  cpu: 'CPU limits',
  pids: 'limits on the number of processes',
  cpuset: 'CPU pinning',
};

function warnings(facts: HostFacts, source: HostSource): string[] {
  const found: string[] = [];
  const lack = (missing: boolean, sentence: string) => {
    if (missing) found.push(sentence);
  };
  const filesystems = source.read('/proc/filesystems') ?? '';
  lack(!facts.isRoot, 'Not running as root: containers cannot be started');
  lack(
    !/\boverlay$/m.test(filesystems),
    'No overlay file system in this kernel: load it with "modprobe overlay"',
  );
  lack(
    !facts.hasNft,
    'nft not found: bridge networks need it (package nftables); --network none and host work',
  );
  lack(!hasSeccomp(source), 'No seccomp support in this kernel');
  lack(
    !facts.capabilities.includes('CAP_SYS_RESOURCE'),
    'No CAP_SYS_RESOURCE: hard limits cannot be raised nor the OOM score lowered',
  );
  for (const [controller, purpose] of Object.entries(WANTED)) {
    // In v2 a controller without files of its own on the root is still listed in cgroup.controllers.
    lack(!facts.cgroup.controllers.includes(controller), `No ${controller} cgroup controller: no ${purpose}`);
  }
  lack(
    source.read('/proc/sys/net/ipv4/ip_forward')?.trim() === '0',
    'IPv4 forwarding is disabled until a bridge network is first used',
  );
  return found;
}
