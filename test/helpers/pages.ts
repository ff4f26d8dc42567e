/** Which physical pages back a process's mapping of a library: /proc/PID/maps and /proc/PID/pagemap (as root). */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const PAGE = 4096n;
const PRESENT = 1n << 63n;
const FRAME = (1n << 55n) - 1n;

/** File offset -> page frame number, for the pages of `library`'s code that are mapped now. */
export function codeFrames(pid: number, library: string): Map<bigint, bigint> {
  const frames = new Map<bigint, bigint>();
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const mapping = /^([0-9a-f]+)-([0-9a-f]+) r-xp ([0-9a-f]+) /.exec(line);
      if (!mapping || !line.includes(library)) continue;
      const [start, end, offset] = mapping.slice(1).map((hex) => BigInt(`0x${hex}`)) as [
        bigint,
        bigint,
        bigint,
      ];
      const entries = Buffer.alloc(Number((end - start) / PAGE) * 8);
      readSync(pagemap, entries, 0, entries.length, (start / PAGE) * 8n);
      for (let index = 0; index * 8 < entries.length; index++) {
        const entry = entries.readBigUInt64LE(index * 8);
        if (entry & PRESENT) frames.set(offset + BigInt(index) * PAGE, entry & FRAME);
      }
    }
  } finally {
    closeSync(pagemap);
  }
  return frames;
}
