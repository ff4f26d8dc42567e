/**
 * containers/<id>/container.json and its neighbours. A container is made complete in staging/, its name is linked, and one
 * rename publishes it; it is unmade by one rename into trash/.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf, TsrunError } from '../errors.js';
import type { ExitRecord, HealthRecord, StateRecord } from '../native/launch.js';
import type { Native } from '../native/native.js';
import type { ContainerInspect } from '../types/engine.js';
import { type ContainerId, type DiffId, type ImageId, parseContainerId } from '../types/ids.js';
import { CHECK_HINT } from './atomic.js';
import { claimName, nameConflict, ownerOfName, releaseName } from './names.js';
import { type ContainerPaths, containerPaths, type StorePaths } from './paths.js';

export const RECORD_VERSION = 1;

/** container.json: what the user asked and what the image said. Names inside are the Engine API's. */
export interface ContainerRecord {
  version: typeof RECORD_VERSION;
  id: ContainerId;
  name: string;
  /** RFC 3339 */
  created: string;
  /** `reference` as the user gave it. */
  image: { reference: string; id: ImageId };
  /** Program and its arguments. */
  path: string;
  args: string[];
  config: ContainerInspect['Config'];
  hostConfig: Record<string, unknown>;
  mounts: ContainerInspect['Mounts'];
  /** Keys below layers/, the image's bottom layer first. */
  layers: string[];
  /** Of those layers, in the same order. */
  diffIds: DiffId[];
  /** bytes of those layers' files: the image's share of `ps --size` */
  imageSize: number;
  network: 'bridge' | 'none' | 'host';
  autoRemove: boolean;
  /** Names of the volumes that go with `rm -v` and --rm. */
  anonymousVolumes: string[];
}

/** @throws TsrunError FORMAT for a record that is damaged or of another version. */
export function parseRecord(text: string, subject: string): ContainerRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TsrunError('FORMAT', `damaged container record ${subject}`, {
      subject,
      hint: CHECK_HINT,
      cause,
    });
  }
  if (
    typeof value !== 'object' ||
    value === null ||
    !('version' in value) ||
    value.version !== RECORD_VERSION
  )
    throw new TsrunError('FORMAT', `container record ${subject} is of a version this tsrun does not know`, {
      subject,
    });
  return value as ContainerRecord;
}

/** The record, or undefined when the container does not exist (any more). */
export function readRecord(paths: StorePaths, id: ContainerId): ContainerRecord | undefined {
  const file = paths.container(id).record;
  const text = readIfThere(file);
  return text === undefined ? undefined : parseRecord(text, file);
}

export function readState(container: ContainerPaths): StateRecord | undefined {
  return readJsonIfThere<StateRecord>(container.state);
}

export function readExit(container: ContainerPaths): ExitRecord | undefined {
  return readJsonIfThere<ExitRecord>(container.exit);
}

/** Of the last run; undefined when it had no probe. */
export function readHealth(container: ContainerPaths): HealthRecord | undefined {
  return readJsonIfThere<HealthRecord>(container.health);
}

/** Ids of all published containers, in no order. */
export function listIds(paths: StorePaths): ContainerId[] {
  return readdirSync(paths.containers)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .map(parseContainerId);
}

/** Which of `ids` have a living monitor: lock byte 0. */
export function probeAlive(native: Native, paths: StorePaths, ids: ContainerId[]): boolean[] {
  return native.probeLocks(
    ids.map((id) => paths.container(id).lock),
    0,
  );
}

/** Text files of a new container; every one is written before anything is published. */
export interface NewContainer {
  record: ContainerRecord;
  files: {
    config: string;
    launch: string;
    hostname: string;
    hosts: string;
    resolvConf: string;
    /** Tells later whether resolv.conf is still as it was written. */
    resolvConfMark: string;
  };
}

/** Makes the staged directory complete; a second call (for another name) replaces the texts. `durable` for records that must survive a power cut (all but those of --rm). */
export function fillContainer(dir: string, container: NewContainer, durable: boolean): void {
  const at = containerPaths(dir);
  mkdirSync(at.upper, { recursive: true });
  chmodSync(at.upper, 0o755);
  mkdirSync(at.work, { recursive: true, mode: 0o700 });
  writeFileSync(at.lock, '', { mode: 0o600 });
  for (const [path, text] of [
    [at.hostname, container.files.hostname],
    [at.hosts, container.files.hosts],
    [at.resolvConf, container.files.resolvConf],
    [at.resolvConfMark, container.files.resolvConfMark],
  ] as const) {
    writeFileSync(path, text);
    chmodSync(path, 0o644);
  }
  writeWhole(at.config, container.files.config, durable);
  writeWhole(at.launch, container.files.launch, durable);
  writeWhole(at.record, JSON.stringify(container.record), durable);
  if (durable) syncDirectory(dir);
}

/**
 * Links the name and renames the staged directory into containers/.
 * @throws TsrunError CONFLICT in Docker's words when the name is taken; the staged directory is left to the caller.
 */
export function publishContainer(
  paths: StorePaths,
  stagedDir: string,
  record: ContainerRecord,
  durable: boolean,
): void {
  if (!claimName(paths, record.name, containerPaths(stagedDir).record))
    throw nameConflict(record.name, ownerOfName(paths, record.name) ?? 'unknown');
  try {
    renameSync(stagedDir, paths.container(record.id).dir);
  } catch (error) {
    releaseName(paths, record.name);
    throw error;
  }
  if (!durable) return;
  syncDirectory(paths.names);
  syncDirectory(paths.containers);
}

/** The container's directory has gone to trash/: its name goes too, and both survive a power cut. */
export function unlistContainer(paths: StorePaths, record: ContainerRecord): void {
  if (ownerOfName(paths, record.name) === record.id) releaseName(paths, record.name);
  if (record.autoRemove) return;
  syncDirectory(paths.names);
  syncDirectory(paths.containers);
}

/**
 * Replaces the record, and the name that is a hard link to it: by rename, so that neither is ever missing. To be called under
 * the exclusive storage lock, as a sweep of the names would take the temporary one.
 */
export function replaceRecord(paths: StorePaths, record: ContainerRecord): void {
  const at = paths.container(record.id);
  const temporary = `${at.record}.updated`;
  rmSync(temporary, { force: true });
  writeWhole(temporary, JSON.stringify(record), !record.autoRemove);
  renewName(paths, record, temporary);
  renameSync(temporary, at.record);
  if (record.autoRemove) return;
  syncDirectory(at.dir);
  syncDirectory(paths.names);
}

/** Makes the name a link to `recordPath`, also where it is one to a former record. */
export function renewName(paths: StorePaths, record: ContainerRecord, recordPath: string): void {
  const link = paths.name(`.${record.id}`);
  rmSync(link, { force: true });
  linkSync(recordPath, link);
  renameSync(link, paths.name(record.name));
}

/** Replaces a small text file of a container: temp name, rename. */
export function replaceFile(path: string, text: string, mode: number): void {
  const temp = join(dirname(path), `.${process.pid}.${Math.random().toString(36).slice(2)}`);
  writeFileSync(temp, text, { mode });
  renameSync(temp, path);
}

/** True if something of a run is left that only a dead monitor leaves. Meaningful while lock byte 0 is free. */
export function hasRemains(container: ContainerPaths): boolean {
  return existsSync(container.ledger) || existsSync(container.state);
}

function writeWhole(path: string, text: string, sync: boolean): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    writeFileSync(fd, text);
    if (sync) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw error;
  }
}

function readJsonIfThere<T>(path: string): T | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new TsrunError('FORMAT', `damaged file ${path}`, { subject: path, hint: CHECK_HINT, cause });
  }
}
