/** What every container gets unless a flag says otherwise: the facts of the default profile, as Docker has them. */
import type { SpecDeviceRule, SpecMount } from '../types/oci.js';

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** bytes of /dev/shm */
export const SHM_SIZE = 64 * 1024 * 1024;

export const CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

/** Hidden: the kernel says too much in them, or lets too much be done. Those that do not exist are passed over. */
export const MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

export const READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/** `shmSize` undefined = without /dev/shm; `writableSystem` for containers that may change the machine. */
export function defaultMounts({
  shmSize,
  writableSystem,
}: {
  shmSize: number | undefined;
  writableSystem: boolean;
}): SpecMount[] {
  const system = writableSystem ? [] : ['ro'];
  const guarded = ['nosuid', 'noexec', 'nodev'];
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: guarded },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...guarded, ...system] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...system, ...guarded] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: guarded },
    ...(shmSize === undefined
      ? []
      : [
          {
            destination: '/dev/shm',
            type: 'tmpfs',
            source: 'shm',
            options: [...guarded, 'mode=1777', `size=${shmSize}`],
          },
        ]),
  ];
}

/**
 * Everything is refused but null, zero, full, random, urandom, tty and console. The helper adds what every container
 * needs beside: making (not opening) nodes, ptmx and the pseudo-terminals.
 */
export function deviceRules(): SpecDeviceRule[] {
  const allow = (major: number, minor: number): SpecDeviceRule => ({
    allow: true,
    type: 'c',
    major,
    minor,
    access: 'rwm',
  });
  return [
    { allow: false, access: 'rwm' },
    allow(1, 3),
    allow(1, 5),
    allow(1, 7),
    allow(1, 8),
    allow(1, 9),
    allow(5, 0),
    allow(5, 1),
  ];
}

/** For containers that have a network of their own: any user may bind low ports and send echo requests there. */
export const NETWORK_SYSCTLS: Readonly<Record<string, string>> = {
  'net.ipv4.ip_unprivileged_port_start': '0',
  'net.ipv4.ping_group_range': '0 2147483647',
};
