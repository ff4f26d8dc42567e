/** What a cgroup and a network namespace have used, read from the kernel's own files. */
import type { ContainerUsage } from '../types/engine.js';
import { unescapeMount } from './cgroup.js';
import { type HostSource, thisMachine } from './source.js';

interface Hierarchy {
  mountPoint: string;
  v2: boolean;
}

/** Finds the files of containers' cgroups. Made once, for any number of looks. */
export class UsageReader {
  readonly #v1 = new Map<string, Hierarchy>();
  readonly #v2: Hierarchy | undefined;
  readonly #memTotal: number;

  constructor(private readonly source: HostSource = thisMachine) {
    for (const line of (source.read('/proc/self/mountinfo') ?? '').split('\n')) {
      const [before = '', after = ''] = line.split(' - ');
      const [type = '', , options = ''] = after.split(' ');
      const mountPoint = unescapeMount(before.split(' ')[4] ?? '');
      if (type === 'cgroup')
        for (const option of options.split(',')) this.#v1.set(option, { mountPoint, v2: false });
      if (type === 'cgroup2') this.#v2 ??= { mountPoint, v2: true };
    }
    this.#memTotal =
      Number(/^MemTotal:\s+(\d+) kB/m.exec(source.read('/proc/meminfo') ?? '')?.[1] ?? 0) * 1024;
  }

  /** `cgroup` as in config.json; `pid` is PID 1's, for its network namespace, unless that is the host's. */
  read(cgroup: string, pid: number | undefined): ContainerUsage {
    const [received, sent] = pid === undefined ? [0, 0] : this.#network(pid);
    const [read, written] = this.#blockDevices(cgroup);
    return {
      cpu: this.#cpu(cgroup),
      ...this.#memory(cgroup),
      received,
      sent,
      read,
      written,
      pids: number(this.#file('pids', cgroup, 'pids.current').text),
    };
  }

  /** A file of the controller's hierarchy: of its own, or of the unified one. */
  #file(controller: string, cgroup: string, v1Name: string, v2Name = v1Name): { text: string; v2: boolean } {
    const hierarchy = this.#v1.get(controller) ?? this.#v2;
    if (hierarchy === undefined) return { text: '', v2: false };
    const name = hierarchy.v2 ? v2Name : v1Name;
    const text = this.source.read(`${hierarchy.mountPoint}${cgroup}/${name}`) ?? '';
    return { text, v2: hierarchy.v2 };
  }

  #cpu(cgroup: string): number {
    const { text, v2 } = this.#file('cpuacct', cgroup, 'cpuacct.usage', 'cpu.stat');
    return v2 ? counter(text, 'usage_usec') * 1000 : number(text);
  }

  #memory(cgroup: string): Pick<ContainerUsage, 'memory' | 'memoryLimit'> {
    const usage = number(this.#file('memory', cgroup, 'memory.usage_in_bytes', 'memory.current').text);
    const { text, v2 } = this.#file('memory', cgroup, 'memory.stat');
    const inactive = counter(text, v2 ? 'inactive_file' : 'total_inactive_file');
    const limit = number(this.#file('memory', cgroup, 'memory.limit_in_bytes', 'memory.max').text);
    return {
      memory: inactive < usage ? usage - inactive : usage,
      memoryLimit: limit > 0 && limit < this.#memTotal ? limit : this.#memTotal,
    };
  }

  #blockDevices(cgroup: string): [read: number, written: number] {
    const { text, v2 } = this.#file('blkio', cgroup, 'blkio.throttle.io_service_bytes_recursive', 'io.stat');
    const sum = (pattern: RegExp) =>
      [...text.matchAll(pattern)].reduce((total, [, bytes]) => total + Number(bytes), 0);
    return v2
      ? [sum(/\brbytes=(\d+)/g), sum(/\bwbytes=(\d+)/g)]
      : [sum(/^\S+ Read (\d+)$/gm), sum(/^\S+ Write (\d+)$/gm)];
  }

  #network(pid: number): [received: number, sent: number] {
    let received = 0;
    let sent = 0;
    for (const line of (this.source.read(`/proc/${pid}/net/dev`) ?? '').split('\n')) {
      const [, name, rest = ''] = /^\s*([^:\s]+):(.*)$/.exec(line) ?? [];
      if (name === undefined || name === 'lo') continue;
      // Eight columns of each direction; bytes are the first.
      const columns = rest.trim().split(/\s+/).map(Number);
      received += columns[0] ?? 0;
      sent += columns[8] ?? 0;
    }
    return [received, sent];
  }
}

/** "max" and what is not there count as 0. */
function number(text: string): number {
  const value = Number(text.trim());
  return Number.isFinite(value) ? value : 0;
}

function counter(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}
