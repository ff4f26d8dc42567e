/** Reads HostFacts. Called once per command: a dozen small files, nothing started, nothing waited for. */
import { boundingSet } from './capabilities.js';
import { probeCgroup } from './cgroup.js';
import { probeCpus } from './cpus.js';
import type { HostFacts } from './facts.js';
import { probeNames } from './names.js';
import { type HostSource, thisMachine } from './source.js';

const ARCH: Record<string, string> = { x64: 'amd64', ia32: '386' };
const CPU_DIR = '/sys/devices/system/cpu';
/** Never PATH: what changes the firewall as root is not chosen by the caller's environment. */
const NFT_PATHS = ['/usr/sbin/nft', '/sbin/nft', '/usr/bin/nft', '/usr/local/sbin/nft'];

export function probeHost(source: HostSource = thisMachine): HostFacts {
  const release = source.release();
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  const arch = source.arch();
  return {
    kernel: { major: major || 0, minor: minor || 0, release },
    arch: ARCH[arch] ?? arch,
    hostname: source.hostname(),
    isRoot: source.uid() === 0,
    cgroup: probeCgroup(source),
    capabilities: boundingSet(source.read('/proc/self/status') ?? ''),
    hardLimits: hardLimits(source.read('/proc/self/limits') ?? ''),
    cpus: probeCpus(source),
    memoryNodes: source.read('/sys/devices/system/node/online')?.trim() || '0',
    oomScoreAdj: Number(source.read('/proc/self/oom_score_adj') ?? 0),
    thermalThrottlePaths: thermalThrottles(source),
    ...probeNames(source),
    hasNft: NFT_PATHS.some((path) => source.executable(path)),
  };
}

/** Rows of /proc/self/limits by the names of `--ulimit`. */
const LIMIT_ROWS: Record<string, string> = {
  core: 'Max core file size',
  cpu: 'Max cpu time',
  data: 'Max data size',
  fsize: 'Max file size',
  locks: 'Max file locks',
  memlock: 'Max locked memory',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  nofile: 'Max open files',
  nproc: 'Max processes',
  rss: 'Max resident set',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
  sigpending: 'Max pending signals',
  stack: 'Max stack size',
};

function hardLimits(text: string): HostFacts['hardLimits'] {
  const found = Object.entries(LIMIT_ROWS).flatMap(([name, row]) => {
    const value = new RegExp(`^${row}\\s+\\S+\\s+(\\d+)`, 'm').exec(text)?.[1];
    return value === undefined ? [] : [[name, Number(value)]];
  });
  return Object.fromEntries(found);
}

function thermalThrottles(source: HostSource): string[] {
  // All CPUs have one or none has: on most virtual machines this is one look.
  if (!source.exists(`${CPU_DIR}/cpu0/thermal_throttle`)) return [];
  return source
    .list(CPU_DIR)
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => `${CPU_DIR}/${name}/thermal_throttle`)
    .filter((path) => source.exists(path))
    .sort();
}
