/** What the image verbs take and give. */
import type { Digest, ImageId } from './ids.js';
import type { Descriptor, HistoryEntry, ImageRunConfig } from './oci.js';

export type LayerStatus =
  | 'Pulling fs layer'
  | 'Waiting'
  | 'Downloading'
  | 'Verifying Checksum'
  | 'Download complete'
  | 'Extracting'
  | 'Pull complete'
  | 'Already exists';

export type PullEvent =
  /** Before the registry is asked: "Using default tag: latest" is made from this. */
  | { kind: 'resolving'; reference: string; tag: string; repository: string; defaultTag: boolean }
  /** The manifest is known: "<tag>: Pulling from <repository path>" is made from this. */
  | { kind: 'found'; tag: string; repository: string }
  /** `id` is the first 12 hex of the compressed layer's digest. */
  | { kind: 'layer'; id: string; status: LayerStatus; current?: number; total?: number }
  | { kind: 'done'; reference: string; digest: Digest; upToDate: boolean };

export interface PullOptions {
  platform?: string;
  signal?: AbortSignal;
  onEvent?: (event: PullEvent) => void;
}

export interface PullResult {
  imageId: ImageId;
  /** Digest of what the tag pointed at: of the index, if it was one. */
  digest: Digest;
  /** Canonical: docker.io/library/redis:7 */
  reference: string;
  upToDate: boolean;
}

export type PushStatus =
  | 'Preparing'
  | 'Waiting'
  | 'Pushing'
  | 'Pushed'
  | 'Layer already exists'
  | `Mounted from ${string}`;

export type PushEvent =
  /** Canonical, without a tag: "The push refers to repository [docker.io/library/redis]" */
  | { kind: 'repository'; repository: string }
  /** `id` is the first 12 hex of the layer's diff ID. */
  | { kind: 'layer'; id: string; status: PushStatus; current?: number; total?: number }
  /** `size`: bytes of the manifest */
  | { kind: 'pushed'; tag: string; digest: Digest; size: number };

export interface PushOptions {
  /** Every tag of the repository; the reference then has none. */
  allTags?: boolean;
  signal?: AbortSignal;
  onEvent?: (event: PushEvent) => void;
}

export interface PushResult {
  /** Canonical */
  reference: string;
  /** Of the manifest in the registry. */
  digest: Digest;
}

export interface LoginOptions {
  /** "localhost:5000"; default Docker Hub. */
  registry?: string;
  /** With `password`. Without both: what is stored for the registry is tried. */
  username?: string;
  password?: string;
  /** Before stored credentials are tried. */
  onStored?: (username: string) => void;
  signal?: AbortSignal;
}

export interface LoginResult {
  username: string;
  /** The file that holds the password now, for everybody to read who may read it. */
  storedIn?: string;
}

export interface LogoutResult {
  /** "localhost:5000", "https://index.docker.io/v1/" */
  registry: string;
  /** Helpers that could not erase what they keep, in words. */
  failures: string[];
}

export interface ImageSummary {
  id: ImageId;
  /** Familiar references: "redis:7", "localhost:5000/app:1". Empty for a dangling image. */
  repoTags: string[];
  repoDigests: string[];
  created: string;
  /** bytes of all layers' files */
  size: number;
  labels: Record<string, string>;
  dangling: boolean;
  containers: number;
}

export interface ImageInspect {
  Id: ImageId;
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  Created: string;
  Author: string;
  Config: ImageRunConfig;
  Architecture: string;
  Variant?: string;
  Os: string;
  Size: number;
  GraphDriver: { Name: string; Data: Record<string, string> };
  RootFS: { Type: 'layers'; Layers: string[] };
  Metadata: { LastTagTime: string };
}

export interface HistoryRow extends HistoryEntry {
  /** Image id for the newest row, "<missing>" for the others unless an image here is that step. */
  id: string;
  tags: string[];
  /** bytes */
  size: number;
}

export interface ImageTree {
  id: ImageId;
  tags: string[];
  /** bytes of all layers' files */
  size: number;
  /** Bottom first. `topOf`: tags of images here that have it on top, and the same below it. */
  layers: { diffId: string; size: number; topOf: string[] }[];
}

/** A manifest as a registry has it. */
export interface RemoteManifest {
  /** Familiar; "redis:7@sha256:…" for one of an index. */
  reference: string;
  descriptor: Descriptor;
  bytes: Uint8Array;
}

export interface ManifestInspect {
  /** What the name leads to: an index, or an image's manifest. Valid JSON. */
  bytes: Uint8Array;
  isIndex: boolean;
  /** With `details`: the manifest, or those of the index. */
  manifests: RemoteManifest[];
}

export type RemovedImage = { untagged: string } | { deleted: string };

export interface LoadedImage {
  /** Familiar reference, or undefined for an untagged image. */
  reference?: string;
  imageId: ImageId;
  /** The other image that the reference named until now; it is still there, under its id. */
  previous?: ImageId;
}

export interface CommitOptions {
  /** What the new image will lack, said before it is made. */
  onWarning?: (text: string) => void;
  repository?: string;
  message?: string;
  author?: string;
  /** Dockerfile instructions: "CMD [\"a\"]", "ENV A=1". */
  changes?: string[];
  pause?: boolean;
  /** One layer, with all that lies below: the image stands on nothing. */
  squash?: boolean;
  /** What lies in its volumes goes into the layer, at their mount points. */
  includeVolumes?: boolean;
  /**
   * Seconds since 1970: when the image was made, and the latest time that a file in the new layer may have. The same changes
   * of the same image then give the same bytes and the same id.
   */
  timestamp?: number;
}

export interface ImportOptions {
  repository?: string;
  message?: string;
  changes?: string[];
  /** Of the image: os/arch[/variant]. Default: this machine's. */
  platform?: string;
  /** Seconds since 1970: when the image was made. */
  timestamp?: number;
  /** The server has answered. `total`: bytes, if it said how many. */
  onDownload?: (url: string, total: number | undefined) => void;
  signal?: AbortSignal;
}

// ---- containers -------------------------------------------------------------------------------------------------

export interface ImagesOptions {
  all?: boolean;
  /** Reference pattern: "redis", "redis:7*". */
  reference?: string;
  filters?: Record<string, string[]>;
}
