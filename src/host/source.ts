/** The few ways in which the probes look at the machine, so that tests can show them another one. */
import { accessSync, constants, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { arch, hostname, release } from 'node:os';

export interface HostSource {
  /** Text of a file; undefined if it cannot be read. */
  read(path: string): string | undefined;
  /** Names in a directory, [] if there is none. */
  list(path: string): string[];
  exists(path: string): boolean;
  executable(path: string): boolean;
  /** f_type of the file system that holds the path. */
  filesystemType(path: string): number | undefined;
  hostname(): string;
  /** As `uname -r`. */
  release(): string;
  /** As Node names it: x64, arm64. */
  arch(): string;
  /** Effective uid. */
  uid(): number;
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    // A file that is not there or not readable is an answer, not a failure, for every probe.
    return undefined;
  }
}

export const thisMachine: HostSource = {
  read: (path) => attempt(() => readFileSync(path, 'utf8')),
  list: (path) => attempt(() => readdirSync(path)) ?? [],
  exists: (path) => attempt(() => accessSync(path) ?? true) ?? false,
  executable: (path) => attempt(() => accessSync(path, constants.X_OK) ?? true) ?? false,
  filesystemType: (path) => attempt(() => statfsSync(path).type),
  hostname,
  release,
  arch,
  uid: () => process.geteuid?.() ?? -1,
};
