/** Which cgroup hierarchies are mounted here. */
import type { CgroupFacts } from './facts.js';
import type { HostSource } from './source.js';

/**
 * From the mount table, never from one file's presence: v1 controllers may be mounted alone or together, a v2 mount
 * may stand beside them (hybrid) and may even own some of the controllers.
 */
export function probeCgroup(source: HostSource): CgroupFacts {
  const controllers = new Set<string>();
  let v1 = false;
  let v2 = false;
  let swapLimit = true;
  let blkioWeight = false;
  for (const line of (source.read('/proc/self/mountinfo') ?? '').split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [type = '', , options = ''] = after.split(' ');
    const mountPoint = unescapeMount(before.split(' ')[4] ?? '');
    if (type === 'cgroup') {
      const names = v1Controllers(options);
      v1 ||= names.length > 0;
      for (const name of names) controllers.add(name);
      if (names.includes('memory')) swapLimit = source.exists(`${mountPoint}/memory.memsw.limit_in_bytes`);
      if (names.includes('blkio')) {
        blkioWeight = ['blkio.weight', 'blkio.bfq.weight'].some((file) =>
          source.exists(`${mountPoint}/${file}`),
        );
      }
    } else if (type === 'cgroup2') {
      v2 = true;
      const listed = source.read(`${mountPoint}/cgroup.controllers`) ?? '';
      for (const name of listed.split(/\s+/).filter(Boolean)) controllers.add(name);
      // The root of v2 has no weight of its own to look for: io.weight is there below it wherever io is.
      blkioWeight ||= listed.split(/\s+/).includes('io');
    }
  }
  return {
    mode: v1 ? (v2 ? 'hybrid' : '1') : '2',
    controllers: [...controllers].sort(),
    swapLimit,
    blkioWeight,
  };
}

const MOUNT_FLAGS = /^(ro|rw|xattr|noprefix|clone_children|cpuset_v2_mode|favordynmods|all|none)$/;

function v1Controllers(superOptions: string): string[] {
  return superOptions.split(',').filter((option) => !option.includes('=') && !MOUNT_FLAGS.test(option));
}

/** The kernel writes blank, tab, newline and backslash of a path in octal. */
export function unescapeMount(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
