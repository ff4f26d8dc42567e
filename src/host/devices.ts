/** Device nodes of the host, for `--device`. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, reasonOf, TsrunError } from '../errors.js';
import type { DeviceNode } from './facts.js';

/** Each is made anew by the container itself, or is no device. */
const NOT_DEVICES = ['pts', 'shm', 'fd', 'mqueue', 'console', '.lxc', '.lxd-mounts', '.udev'];

/**
 * The node at `path`, or every node below a directory.
 * @throws TsrunError USAGE in Docker's words
 */
export function findDevices(path: string): DeviceNode[] {
  const refuse = (reason: string, cause?: unknown) =>
    new TsrunError(
      'USAGE',
      `error gathering device information while adding custom device "${path}": ${reason}`,
      {
        step: 'host.devices',
        errno: errnoOf(cause),
        subject: path,
        cause,
      },
    );
  let stats: ReturnType<typeof statSync>;
  try {
    stats = statSync(path);
  } catch (error) {
    throw refuse(reasonOf(error), error);
  }
  if (stats?.isDirectory()) return below(path);
  const found = deviceAt(path);
  if (found === undefined) throw refuse('not a device node');
  return [found];
}

function below(dir: string): DeviceNode[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return NOT_DEVICES.includes(entry.name) ? [] : below(path);
    if (NOT_DEVICES.includes(entry.name)) return [];
    return entry.isBlockDevice() || entry.isCharacterDevice() ? (deviceAt(path) ?? []) : [];
  });
}

function deviceAt(path: string): DeviceNode | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !(stats.isBlockDevice() || stats.isCharacterDevice())) return undefined;
  return {
    path,
    type: stats.isBlockDevice() ? 'b' : 'c',
    major: majorOf(stats.rdev),
    minor: minorOf(stats.rdev),
    mode: stats.mode & 0o777,
    uid: stats.uid,
    gid: stats.gid,
  };
}

/** dev_t as glibc splits it: 12 bits of major and 20 of minor, each in two parts. Past 32 bits, so no bit operators alone. */
function majorOf(rdev: number): number {
  const high = Math.floor(rdev / 2 ** 32);
  return ((rdev >>> 8) & 0xfff) + ((high >>> 0) & 0xfffff000);
}

function minorOf(rdev: number): number {
  return (rdev & 0xff) + ((rdev >>> 12) & 0xfff00);
}
