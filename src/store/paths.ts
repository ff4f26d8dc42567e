/** Where everything lives below one store root. The only file that joins state paths. */
import { join } from 'node:path';
import { type ContainerId, type Digest, hexOf } from '../types/ids.js';

export const DEFAULT_ROOT = '/var/lib/tsrun';

export interface StorePaths {
  readonly root: string;
  readonly lock: string;
  readonly oci: string;
  readonly ociLayout: string;
  readonly index: string;
  readonly blobs: string;
  readonly ingest: string;
  readonly layers: string;
  readonly initLayer: string;
  readonly containers: string;
  readonly names: string;
  readonly volumes: string;
  /** The event journal. */
  readonly events: string;
  readonly staging: string;
  readonly trash: string;
  /** What a repair has put aside; made when it is needed. */
  readonly quarantine: string;
  blob(digest: Digest): string;
  layer(key: string): string;
  container(id: ContainerId): ContainerPaths;
  name(name: string): string;
  volume(name: string): string;
}

export interface ContainerPaths {
  readonly dir: string;
  /** What the user asked and the image said: ContainerRecord. */
  readonly record: string;
  /** OCI runtime spec */
  readonly config: string;
  readonly launch: string;
  readonly lock: string;
  readonly state: string;
  readonly exit: string;
  readonly ledger: string;
  /** HealthRecord of the last run, if it has a probe */
  readonly health: string;
  /** Is there while limits or the restart policy are changed: what is left of a change that was cut short. */
  readonly updating: string;
  /** Is there when the user, not the program, ended the last run. */
  readonly stopped: string;
  readonly upper: string;
  readonly work: string;
  readonly log: string;
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
  /** sha256 of resolv.conf as it was last written by us */
  readonly resolvConfMark: string;
  readonly sock: string;
  /** NUL-separated paths of mount points that the helper made in upper/ for files: not the container's doing */
  readonly stubs: string;
}

/** `dir` is absolute and clean: a thousand containers are listed by plain concatenation. */
export function containerPaths(dir: string): ContainerPaths {
  return {
    dir,
    record: `${dir}/container.json`,
    config: `${dir}/config.json`,
    launch: `${dir}/launch.json`,
    lock: `${dir}/lock`,
    state: `${dir}/state`,
    exit: `${dir}/exit`,
    ledger: `${dir}/ledger`,
    health: `${dir}/health`,
    updating: `${dir}/updating`,
    stopped: `${dir}/stopped`,
    upper: `${dir}/upper`,
    work: `${dir}/work`,
    log: `${dir}/log`,
    hosts: `${dir}/hosts`,
    hostname: `${dir}/hostname`,
    resolvConf: `${dir}/resolv.conf`,
    resolvConfMark: `${dir}/resolv.conf.mark`,
    sock: `${dir}/sock`,
    stubs: `${dir}/stubs`,
  };
}

export function storePaths(root: string): StorePaths {
  const oci = join(root, 'oci');
  const blobs = join(oci, 'blobs', 'sha256');
  const layers = join(root, 'layers');
  const containers = join(root, 'containers');
  const names = join(root, 'names');
  const volumes = join(root, 'volumes');
  return {
    root,
    lock: join(root, 'storage.lock'),
    events: join(root, 'events.jsonl'),
    oci,
    ociLayout: join(oci, 'oci-layout'),
    index: join(oci, 'index.json'),
    blobs,
    ingest: join(root, 'staging', 'ingest'),
    layers,
    initLayer: join(layers, 'init-v1'),
    containers,
    names,
    volumes,
    staging: join(root, 'staging'),
    trash: join(root, 'trash'),
    quarantine: join(root, 'quarantine'),
    blob: (digest) => join(blobs, hexOf(digest)),
    layer: (key) => join(layers, key),
    container: (id) => containerPaths(`${containers}/${id}`),
    name: (name) => join(names, name),
    volume: (name) => join(volumes, name),
  };
}
