/** The CPUs that are online. */
import type { HostFacts } from './facts.js';
import type { HostSource } from './source.js';

export function probeCpus(source: HostSource): HostFacts['cpus'] {
  const online = source.read('/sys/devices/system/cpu/online')?.trim() || '0';
  const count = online.split(',').reduce((sum, range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return sum + last - first + 1;
  }, 0);
  return { count, online };
}
