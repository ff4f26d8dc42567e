/** Resource limits of `run`, `create` and `update`: grammar and what can be judged without knowing the machine. */
import type { Amount, LimitOptions } from '../types/run-options.js';
import { parseSize } from './size.js';
import { badFlag, usage } from './usage.js';

/** Absent = not asked for. */
export interface Limits {
  /** bytes */
  memory?: number;
  /** bytes of memory plus swap; -1 = unlimited */
  memorySwap?: number;
  memoryReservation?: number;
  /** billionths of a CPU */
  nanoCpus?: number;
  cpuShares?: number;
  /** microseconds */
  cpuPeriod?: number;
  cpuQuota?: number;
  cpusetCpus?: string;
  cpusetMems?: string;
  /** -1 = unlimited */
  pids?: number;
  blkioWeight?: number;
}

/**
 * `isUpdate`: of a container that may have the other half of what belongs together.
 * @throws TsrunError USAGE in Docker's words; of several faults the first in Docker's own order.
 */
export function parseLimits(options: LimitOptions, { isUpdate = false } = {}): Limits {
  const limits: Limits = {
    memory: size(options.memory, '-m, --memory'),
    memorySwap: isUnlimited(options.memorySwap) ? -1 : size(options.memorySwap, '--memory-swap'),
    memoryReservation: size(options.memoryReservation, '--memory-reservation'),
    nanoCpus: nanoCpus(options.cpus),
    cpuShares: options.cpuShares || undefined,
    cpuPeriod: options.cpuPeriod || undefined,
    cpuQuota: options.cpuQuota || undefined,
    cpusetCpus: options.cpusetCpus || undefined,
    cpusetMems: options.cpusetMems || undefined,
    pids: options.pidsLimit === undefined ? undefined : Math.max(options.pidsLimit, 0) || -1,
    blkioWeight: options.blkioWeight || undefined,
  };
  checkMemory(limits, isUpdate);
  checkCpu(limits);
  if (limits.cpusetCpus !== undefined) parseCpuList(limits.cpusetCpus, 'cpus');
  if (limits.cpusetMems !== undefined) parseCpuList(limits.cpusetMems, 'mems');
  checkWeight(limits.blkioWeight);
  return limits;
}

/** A size flag: 0 and '' mean "not set". */
export function size(amount: Amount | undefined, flag: string): number | undefined {
  if (amount === undefined || amount === '') return undefined;
  try {
    return parseSize(String(amount)) || undefined;
  } catch (error) {
    throw badFlag(flag, String(amount), error instanceof Error ? error.message : String(error));
  }
}

function isUnlimited(amount: Amount | undefined): boolean {
  return String(amount) === '-1';
}

const NANO_DIGITS = 9;

/** "1.5", ".5", "1e-2", "1/2": exact to a billionth. */
function nanoCpus(amount: Amount | undefined): number | undefined {
  if (amount === undefined || amount === '') return undefined;
  const text = String(amount);
  const fraction = /^([+-]?\d+)\/(\d+)$/.exec(text);
  const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text);
  const value = fraction ? Number(fraction[1]) / Number(fraction[2]) : decimal ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) {
    throw badFlag('--cpus', text, `failed to parse ${text} as a rational number`);
  }
  const nano = value * 10 ** NANO_DIGITS;
  if (Math.abs(nano - Math.round(nano)) > 1e-3) throw badFlag('--cpus', text, 'value is too precise');
  return Math.round(nano) || undefined;
}

const MIN_MEMORY = 6 * 1024 * 1024;

function checkMemory({ memory = 0, memorySwap = 0, memoryReservation = 0 }: Limits, isUpdate: boolean): void {
  if (memory > 0 && memory < MIN_MEMORY) throw usage('Minimum memory limit allowed is 6MB', String(memory));
  if (memory > 0 && memorySwap > 0 && memorySwap < memory) {
    throw usage('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (memory === 0 && memorySwap > 0 && !isUpdate) {
    throw usage('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (memoryReservation > 0 && memoryReservation < MIN_MEMORY) {
    throw usage('Minimum memory reservation allowed is 6MB');
  }
  if (memory > 0 && memory < memoryReservation) {
    throw usage('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
}

/** microseconds: the kernel's own bounds of a CFS period, and the least quota. */
const PERIOD_MIN = 1000;
const PERIOD_MAX = 1_000_000;
const SHARES_MIN = 2;

function checkCpu({ nanoCpus: nano, cpuPeriod = 0, cpuQuota = 0, cpuShares }: Limits): void {
  const conflict = (what: string) =>
    usage(`Conflicting options: Nano CPUs and CPU ${what} cannot both be set`, '--cpus');
  if (nano !== undefined && cpuPeriod > 0) throw conflict('Period');
  if (nano !== undefined && cpuQuota > 0) throw conflict('Quota');
  if (cpuShares !== undefined && cpuShares < SHARES_MIN) {
    throw usage(`invalid CPU shares (${cpuShares}): the minimum allowed cpu-shares is ${SHARES_MIN}`);
  }
  if (cpuPeriod !== 0 && (cpuPeriod < PERIOD_MIN || cpuPeriod > PERIOD_MAX)) {
    throw usage('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (cpuQuota > 0 && cpuQuota < PERIOD_MIN) {
    throw usage('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  }
}

/** The numbers of "0-3,5". */
export function parseCpuList(text: string, what: 'cpus' | 'mems'): number[] {
  const invalid = () => usage(`Invalid value ${text} for cpuset ${what}: invalid format: ${text}`, text);
  return text.split(',').flatMap((range) => {
    const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range) ?? [];
    if (first === '' || Number(last) < Number(first)) throw invalid();
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index);
  });
}

function checkWeight(weight: number | undefined): void {
  if (weight === undefined) return;
  if (weight < 10 || weight > 1000) throw usage('Range of blkio weight is from 10 to 1000', String(weight));
}
