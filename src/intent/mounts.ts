/** All mounts that a user asks for: `-v`, `--mount` and `--tmpfs` together. */
import type { FileOptions } from '../types/run-options.js';
import { parseMount } from './mount.js';
import { parseTmpfs, type TmpfsMount } from './tmpfs.js';
import { usage } from './usage.js';
import { type MountIntent, parseVolume } from './volume.js';

/** One mount per destination: an anonymous volume gives way to any other, two others are a conflict. */
export function parseMounts(
  { volume = [], mount = [], tmpfs = [] }: FileOptions,
  cwd: string,
): MountIntent[] {
  // Written twice to the letter is once; of two --tmpfs for one place the last counts.
  const temporary = new Map(
    tmpfs.map(parseTmpfs).map((each): [string, TmpfsMount] => [each.destination, each]),
  );
  const mounts: MountIntent[] = [
    ...[...new Set(volume)].map((spec) => parseVolume(spec, cwd)),
    ...mount.map((spec) => parseMount(spec, cwd)),
    ...temporary.values(),
  ];
  const taken = new Set<string>();
  for (const { destination } of mounts.filter((each) => !givesWay(each))) {
    if (taken.has(destination)) throw usage(`Duplicate mount point: ${destination}`, destination);
    taken.add(destination);
  }
  return mounts.filter((each) => {
    if (!givesWay(each)) return true;
    if (taken.has(each.destination)) return false;
    taken.add(each.destination);
    return true;
  });
}

function givesWay({ kind, api }: MountIntent): boolean {
  return kind === 'anonymous' && api === undefined;
}
