/** Everything a plan is made from. All of it is values: planning asks nobody anything. */
import type { HostFacts } from '../host/facts.js';
import type { RunIntent } from '../intent/run.js';
import type { ContainerId } from '../types/ids.js';
import type { ImageRunConfig } from '../types/oci.js';
import type { DeviceSource, PeerSource } from './lookups.js';
import type { VolumeSource } from './mounts.js';

export interface PlanInput {
  intent: RunIntent;
  /** `config` of the image's config. */
  image?: ImageRunConfig;
  facts: HostFacts;
  id: ContainerId;
  /** 6 hex of the store. */
  storeTag: string;
  rootfs: {
    /** Unpacked layers, the image's bottom layer first; absolute. */
    layers: readonly string[];
    /** The engine's own layer, on top of the image's. */
    initLayer: string;
  };
  /** Absolute paths in the container's directory, as it will be once it is published. */
  files: { upper: string; work: string; hosts: string; hostname: string; resolvConf: string };
  /** Absolute path of names/<name>. */
  nameFile: string;
  volumes: VolumeSource;
  /** Containers that are joined or whose mounts are taken. */
  peers: PeerSource;
  devices: DeviceSource;
}
