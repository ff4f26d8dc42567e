/** Resource limits of the process: the defaults, and `--ulimit` in their place. */
import { TsrunError } from '../errors.js';
import type { HostFacts } from '../host/facts.js';
import type { Ulimit } from '../intent/ulimit.js';

/** What the kernel means by "unlimited"; see specText for how it gets into JSON. */
export const RLIM_INFINITY = 2 ** 64;

const NOFILE_SOFT = 1024;
const NOFILE_HARD = 1048576;

export interface SpecRlimit {
  type: string;
  hard: number;
  soft: number;
}

/**
 * tsrun has no daemon whose limits a container could inherit, and Node raises its own: so those two are set. None may
 * pass our own hard limit without CAP_SYS_RESOURCE.
 * @throws TsrunError HOST that names the limit and its ceiling
 */
export function planRlimits(ulimits: readonly Ulimit[], facts: HostFacts): SpecRlimit[] {
  const nofile = Math.min(NOFILE_HARD, facts.hardLimits.nofile ?? NOFILE_HARD);
  const limits = new Map<string, SpecRlimit>();
  const set = (name: string, soft: number, hard: number) => {
    const type = `RLIMIT_${name.toUpperCase()}`;
    limits.set(type, { type, soft, hard });
  };
  set('core', 0, kernelValue(facts.hardLimits.core ?? -1));
  set('nofile', Math.min(NOFILE_SOFT, nofile), nofile);
  for (const limit of ulimits) {
    checkCeiling(limit, facts);
    set(limit.name, kernelValue(limit.soft), kernelValue(limit.hard));
  }
  return [...limits.values()];
}

function kernelValue(limit: number): number {
  return limit === -1 || limit === Number.POSITIVE_INFINITY ? RLIM_INFINITY : limit;
}

function checkCeiling({ name, hard }: Ulimit, { hardLimits, capabilities }: HostFacts): void {
  if (capabilities.includes('CAP_SYS_RESOURCE')) return;
  const ceiling = hardLimits[name] ?? Number.POSITIVE_INFINITY;
  if (kernelValue(hard) <= kernelValue(ceiling)) return;
  const wanted = hard === -1 ? 'unlimited' : String(hard);
  throw new TsrunError(
    'HOST',
    `error setting rlimit ${name}: ${wanted} is above the highest value possible here, ${ceiling}: operation not permitted`,
    {
      step: 'plan',
      errno: 'EPERM',
      subject: `--ulimit ${name}`,
      hint: `only a process with CAP_SYS_RESOURCE may raise it: ask for at most ${ceiling}`,
    },
  );
}
