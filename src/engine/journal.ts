/** The event journal's writing end: ARCHITECTURE.md ("Events") has the shape of a line and says who writes which event. */
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import type { ContainerRecord } from '../store/containers.js';
import type { StorePaths } from '../store/paths.js';

export interface NewEvent {
  type: 'container' | 'image' | 'volume' | 'network';
  /** "create", "exec_create: sh", … */
  action: string;
  /** Id of a container or image, name of a volume. */
  id: string;
  attributes?: Record<string, string>;
}

/** Whoever works with a store. */
interface InStore {
  readonly paths: StorePaths;
}

/** Appends one event. Many processes write the same file: one write(2) with O_APPEND keeps lines whole. */
export function recordEvent(ctx: InStore, { type, action, id, attributes = {} }: NewEvent): void {
  const microseconds = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  const named = type === 'container' || type === 'image' ? { status: action, id } : {};
  const from = type === 'container' ? { from: attributes.image ?? '' } : {};
  const head = JSON.stringify({
    ...named,
    ...from,
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: 'local',
    time: Math.floor(microseconds / 1e6),
  });
  // Past what a double holds: as text.
  const line = `${head.slice(0, -1)},"timeNano":${microseconds}000}\n`;
  // Again if the file is gone since it was opened: the monitors move it away when it has grown, and later delete it.
  while (!append(ctx.paths.events, line));
}

function append(path: string, line: string): boolean {
  const fd = openSync(path, 'a', 0o600);
  try {
    writeSync(fd, line);
    return fstatSync(fd).nlink > 0;
  } finally {
    closeSync(fd);
  }
}

/** What all events of a container carry; launch.json has it for the monitor. */
export function eventAttributes(record: ContainerRecord): Record<string, string> {
  return { ...record.config.Labels, image: record.image.reference, name: record.name };
}

/** An event of a container, with the attributes that all of its events have: its labels, image and name. */
export function recordContainerEvent(
  ctx: InStore,
  record: ContainerRecord,
  action: string,
  attributes: Record<string, string> = {},
): void {
  recordEvent(ctx, {
    type: 'container',
    action,
    id: record.id,
    attributes: { ...eventAttributes(record), ...attributes },
  });
}
