/** Limits against what this machine has -> resources of the OCI spec, and what inspect shows of them. */
import { TsrunError } from '../errors.js';
import type { HostFacts } from '../host/facts.js';
import { type Limits, parseCpuList } from '../intent/limits.js';
import { usage } from '../intent/usage.js';
import type { SpecResources } from '../types/oci.js';

export interface PlannedLimits {
  resources: SpecResources;
  /** Fields of HostConfig. */
  api: Record<string, unknown>;
  warnings: string[];
}

/** microseconds */
const CPU_PERIOD = 100_000;
const NANO = 1e9;
const MIN_NANO_CPUS = NANO / 100;

/** @throws TsrunError USAGE for more than the machine has, HOST for what it cannot limit at all */
export function planLimits(limits: Limits, facts: HostFacts): PlannedLimits {
  checkLimits(limits, facts);
  const warnings: string[] = [];
  const memorySwap = planSwap(limits, facts, warnings);
  const blkioWeight = planWeight(limits, facts, warnings);
  const possible = { ...limits, memorySwap, blkioWeight };
  return { resources: resourcesOf(possible), api: apiOf(possible), warnings };
}

/** @throws TsrunError USAGE for more than the machine has */
export function checkLimits(limits: Limits, facts: HostFacts): void {
  checkCpus(limits, facts);
  checkSets(limits, facts);
}

/** Parts of the OCI spec's resources. */
export function resourcesOf(limits: Limits): SpecResources {
  const { memory, memorySwap, memoryReservation, nanoCpus, cpuShares, cpusetCpus, cpusetMems, pids } = limits;
  const period = nanoCpus === undefined ? limits.cpuPeriod : CPU_PERIOD;
  const quota = nanoCpus === undefined ? limits.cpuQuota : Math.floor((nanoCpus * CPU_PERIOD) / NANO);
  return defined({
    memory: defined({ limit: memory, swap: memorySwap, reservation: memoryReservation }),
    cpu: defined({ shares: cpuShares, quota, period, cpus: cpusetCpus, mems: cpusetMems }),
    pids: pids === undefined || pids < 0 ? undefined : { limit: pids },
    blockIO: defined({ weight: limits.blkioWeight }),
  });
}

/** Fields of HostConfig. */
export function apiOf(limits: Limits): Record<string, unknown> {
  const { pids } = limits;
  return {
    CpuShares: limits.cpuShares ?? 0,
    Memory: limits.memory ?? 0,
    NanoCpus: limits.nanoCpus ?? 0,
    CpuPeriod: limits.cpuPeriod ?? 0,
    CpuQuota: limits.cpuQuota ?? 0,
    CpusetCpus: limits.cpusetCpus ?? '',
    CpusetMems: limits.cpusetMems ?? '',
    MemoryReservation: limits.memoryReservation ?? 0,
    MemorySwap: limits.memorySwap ?? 0,
    PidsLimit: pids === undefined || pids < 0 ? null : pids,
    BlkioWeight: limits.blkioWeight ?? 0,
  };
}

/** The reverse of {@link apiOf}. */
export function limitsOf(api: Readonly<Record<string, unknown>>): Limits {
  const number = (name: string) => (typeof api[name] === 'number' && api[name] !== 0 ? api[name] : undefined);
  const text = (name: string) => (typeof api[name] === 'string' && api[name] !== '' ? api[name] : undefined);
  return {
    memory: number('Memory'),
    memorySwap: number('MemorySwap'),
    memoryReservation: number('MemoryReservation'),
    nanoCpus: number('NanoCpus'),
    cpuShares: number('CpuShares'),
    cpuPeriod: number('CpuPeriod'),
    cpuQuota: number('CpuQuota'),
    cpusetCpus: text('CpusetCpus'),
    cpusetMems: text('CpusetMems'),
    pids: number('PidsLimit'),
    blkioWeight: number('BlkioWeight'),
  };
}

/** Without what is undefined; undefined if nothing is left. */
function defined<T extends object>(values: T): T;
function defined(values: object): object | undefined {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length > 0 ? Object.fromEntries(given) : undefined;
}

function checkCpus({ nanoCpus }: Limits, { cpus }: HostFacts): void {
  if (nanoCpus === undefined || (nanoCpus >= MIN_NANO_CPUS && nanoCpus <= cpus.count * NANO)) return;
  throw usage(
    `Range of CPUs is from 0.01 to ${cpus.count}.00, as there are only ${cpus.count} CPUs available`,
    '--cpus',
  );
}

function checkSets({ cpusetCpus, cpusetMems }: Limits, { cpus, memoryNodes }: HostFacts): void {
  const isSubset = (wanted: string, available: string, what: 'cpus' | 'mems') => {
    const known = new Set(parseCpuList(available, what));
    return parseCpuList(wanted, what).every((number) => known.has(number));
  };
  if (cpusetCpus !== undefined && !isSubset(cpusetCpus, cpus.online, 'cpus')) {
    throw usage(`Requested CPUs are not available - requested ${cpusetCpus}, available: ${cpus.online}`);
  }
  if (cpusetMems !== undefined && !isSubset(cpusetMems, memoryNodes, 'mems')) {
    throw usage(
      `Requested memory nodes are not available - requested ${cpusetMems}, available: ${memoryNodes}`,
    );
  }
}

/** As much swap as memory, unless something else was asked for. */
function planSwap(limits: Limits, { cgroup }: HostFacts, warnings: string[]): number | undefined {
  const { memory, memorySwap } = limits;
  if (memory === undefined) return memorySwap;
  checkSwap(limits, { cgroup });
  if (cgroup.swapLimit || memorySwap === -1) return memorySwap ?? 2 * memory;
  warnings.push(
    'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
  );
  return undefined;
}

/** @throws TsrunError HOST where swap cannot be limited and is to be */
export function checkSwap({ memorySwap }: Limits, { cgroup }: Pick<HostFacts, 'cgroup'>): void {
  if (cgroup.swapLimit || memorySwap === undefined || memorySwap === -1) return;
  throw new TsrunError('HOST', 'the kernel does not limit swap here: --memory-swap cannot be enforced', {
    step: 'plan',
    subject: '--memory-swap',
    hint: 'boot with swapaccount=1, or leave --memory-swap out',
  });
}

/** A weight is a preference, not a protection: without a scheduler that knows it, it is dropped with a word. */
export function planWeight(
  { blkioWeight }: Limits,
  { cgroup }: HostFacts,
  warnings: string[],
): number | undefined {
  if (blkioWeight === undefined || cgroup.blkioWeight) return blkioWeight;
  warnings.push(
    'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
  );
  return undefined;
}
