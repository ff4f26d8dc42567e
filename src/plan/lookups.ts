/** What planning must look up by a name that the user gave. The engine answers from the store and from /dev. */
import type { DeviceNode } from '../host/facts.js';
import type { ContainerInspect } from '../types/engine.js';
import type { ContainerId } from '../types/ids.js';

/** Another container, as far as a new one may share with it. */
export interface Peer {
  id: ContainerId;
  /** Absolute directory of the container. */
  dir: string;
  /** IpcMode of its HostConfig. */
  ipcMode: string;
  mounts: ContainerInspect['Mounts'];
  /** Destinations of `mounts` at which only a part of the volume is, and which. */
  subpaths: ReadonlyMap<string, string>;
}

export interface PeerSource {
  /** By name, id or prefix. @throws TsrunError NOT_FOUND "No such container: …" */
  find(text: string): Peer;
}

export interface DeviceSource {
  /** The node at `path`, or all nodes below it if it is a directory. @throws TsrunError */
  find(path: string): DeviceNode[];
}
