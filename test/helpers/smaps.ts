/** How a process's mapping of a library is backed, in KiB, from /proc/PID/smaps. */
import { readFileSync } from 'node:fs';

/** Pages of the executable mapping of `library` that other processes map too, and those that only this one has. */
export function sharedTextPages(pid: number, library: string): { shared: number; private: number } {
  const result = { shared: 0, private: 0 };
  let inside = false;
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) inside = line.includes(' r-xp ') && line.includes(library);
    const field = inside && /^(Shared_Clean|Private_Clean|Private_Dirty): +(\d+) kB/.exec(line);
    if (field) result[field[1] === 'Shared_Clean' ? 'shared' : 'private'] += Number(field[2]);
  }
  return result;
}
