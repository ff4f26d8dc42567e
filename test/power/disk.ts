/**
 * A disk whose power can be cut: an ext4 in a file, where nothing reaches the file that was not synced (commit=1000). A
 * copy of the file is what such a disk holds after a cut at that moment. To be used in a mount namespace of its own.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SIZE = '192M';

export class Disk {
  private constructor(
    private readonly file: string,
    /** Where it is mounted. */
    readonly at: string,
  ) {}

  static make(): Disk {
    const dir = workDirectory();
    execFileSync('truncate', ['-s', SIZE, join(dir, 'image')]);
    execFileSync('mkfs.ext4', ['-qF', '-E', 'nodiscard', join(dir, 'image')]);
    return Disk.mounted(dir);
  }

  private static mounted(dir: string): Disk {
    const at = join(dir, 'disk');
    mkdirSync(at);
    execFileSync('mount', ['-o', 'loop,commit=1000', join(dir, 'image'), at]);
    return new Disk(join(dir, 'image'), at);
  }

  /**
   * What is left after a cut at this moment.
   * @param stranger somebody else's fsync comes just before it: that writes the journal, with all names and sizes so far, but
   * the data of no other file
   */
  cut(stranger: boolean): Disk {
    if (stranger) {
      const fd = openSync(join(this.at, 'stranger'), 'a');
      writeSync(fd, 'x');
      fsyncSync(fd);
      closeSync(fd);
    }
    const dir = workDirectory();
    execFileSync('cp', ['--sparse=always', this.file, join(dir, 'image')]);
    return Disk.mounted(dir);
  }

  /** Forgets it, and all that is on it. */
  remove(): void {
    execFileSync('umount', [this.at]);
    rmSync(join(this.file, '..'), { recursive: true, force: true });
  }

  /** Goes off as it should. @return a disk of the same content, as often as it is asked for */
  switchedOff(): () => Disk {
    execFileSync('umount', [this.at]);
    return () => {
      const dir = workDirectory();
      execFileSync('cp', ['--sparse=always', this.file, join(dir, 'image')]);
      return Disk.mounted(dir);
    };
  }
}

/** In memory: the page cache of a file on a real disk would be written back in the middle of things. */
const WORK = join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), `tsrun-power-${process.pid}`);

function workDirectory(): string {
  mkdirSync(WORK, { recursive: true });
  return mkdtempSync(join(WORK, 'd'));
}

/** Whatever is still there of all disks. */
export function removeDisks(): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').matchAll(/^\S+ (\S+)/gm);
  for (const [, at = ''] of mounts) if (at.startsWith(`${WORK}/`)) execFileSync('umount', ['-l', at]);
  rmSync(WORK, { recursive: true, force: true });
}
