/** What is about the whole store: events, volumes, disk use, this machine. */
import type { ContainerSummary } from './containers.js';
import type { ContainerId } from './ids.js';
import type { ImageSummary } from './images.js';

/** A container that was to start with the machine; with `error` it did not. */
export interface BootResult {
  id: ContainerId;
  name: string;
  error?: unknown;
}

/** One line of the event journal, in Docker's shape; `status`, `id` and `from` as Docker gives them. */
export interface EngineEvent {
  Type: 'container' | 'image' | 'volume' | 'network';
  /** "start", "exec_create: sh", "health_status: healthy" */
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  status?: string;
  id?: string;
  from?: string;
  scope: string;
  /** seconds since 1970 */
  time: number;
  timeNano: bigint;
  /** The line as it stands in the journal. */
  json: string;
}

export interface EventsOptions {
  /** Without `since` and `until`, only what happens from now on. */
  since?: Date;
  /** The stream ends there; it is endless without. */
  until?: Date;
  /** key -> values: container, event, image, label, type, volume, network, scope */
  filters?: Record<string, string[]>;
  signal?: AbortSignal;
}

/** `GET /volumes/{name}` of the Engine API. */
export interface VolumeInspect {
  /** RFC 3339, whole seconds */
  CreatedAt: string;
  Driver: 'local';
  Labels: Record<string, string> | null;
  /** Absolute directory of the volume's content. */
  Mountpoint: string;
  Name: string;
  Options: Record<string, string> | null;
  Scope: 'local';
}

export interface PruneResult {
  /** Names or full ids of what is gone. */
  deleted: string[];
  /** bytes */
  reclaimed: number;
}

/** What takes space; all sizes in bytes. */
export interface DiskUsage {
  /** Layers of all images, shared ones once. */
  layersSize: number;
  /** Of that, what only images without a container have. */
  layersReclaimable: number;
  images: (ImageSummary & { sharedSize: number; uniqueSize: number })[];
  /** With `sizeRw`. */
  containers: ContainerSummary[];
  /** `links`: how many containers have it. */
  volumes: { name: string; links: number; size: number }[];
}

export interface CheckOptions {
  /** Mends what can be mended here, and takes away what is damaged and cannot; never anything that is whole. */
  repair?: boolean;
  /** Reads everything: each blob is hashed, each unpacked layer compared with its blob. */
  full?: boolean;
  signal?: AbortSignal;
}

export interface StoreDamage {
  kind: 'index' | 'blob' | 'layer' | 'image' | 'container' | 'volume' | 'leftover';
  /** A digest, the key of a layer, a container's id, a volume's name, a path. */
  subject: string;
  /** What is wrong with it. */
  problem: string;
  /** Names of the images and containers that suffer from it. */
  affects: string[];
  /** What a repair does about it, or has done; undefined if nothing can be done here. */
  repair?: string;
  mended: boolean;
  /** What else helps. */
  hint?: string;
}

export interface StoreCheck {
  checked: { images: number; layers: number; blobs: number; containers: number; volumes: number };
  /** What dead processes had left and the check, as every command, has taken away or put right. */
  swept: string[];
  damages: StoreDamage[];
}

export interface VersionInfo {
  version: string;
  apiVersion: string;
  nodeVersion: string;
  os: string;
  arch: string;
  kernelVersion: string;
  gitCommit?: string;
}

export interface EngineInfo {
  containers: number;
  containersRunning: number;
  containersPaused: number;
  containersStopped: number;
  images: number;
  root: string;
  storageDriver: 'overlay2';
  backingFilesystem: string;
  cgroupVersion: '1' | '2' | 'hybrid';
  cgroupControllers: string[];
  kernelVersion: string;
  operatingSystem: string;
  osType: 'linux';
  architecture: string;
  ncpu: number;
  /** bytes */
  memTotal: number;
  name: string;
  serverVersion: string;
  securityOptions: string[];
  /** What this machine lacks, one sentence each. */
  warnings: string[];
}
