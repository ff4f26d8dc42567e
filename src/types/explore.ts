/**
 * What `image explore` knows of an image: which layer brought, changed and removed which file, and which bytes nobody can
 * see any more. `--format json` prints an {@link ImageExploration} as it stands; docs/explore.md describes it.
 */
import type { DiffId, Digest, ImageId } from './ids.js';

export type NodeType = 'directory' | 'file' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';

/** One name in one layer, as it lies on disk. */
export interface ListedNode {
  type: NodeType | 'whiteout';
  /** One component; each character is a byte. */
  name: string;
  /** Permissions, without the type. */
  mode: number;
  uid: number;
  gid: number;
  /** bytes; of files alone */
  size: number;
  /** seconds.nanoseconds */
  mtime: string;
  /** The names that one file has in this layer share a number; 0 = it has just this one. */
  links: number;
  /** Equal if the extended attributes are. */
  xattrs: string;
  /** Of a symlink; each character is a byte. */
  target?: string;
  /** Of a directory: it hides what the layers below have in it. */
  opaque?: boolean;
  /** Of a directory, sorted by the bytes of their names. */
  children?: ListedNode[];
}

export type LayerChange = 'added' | 'changed' | 'removed' | 'unchanged';

/** In what a changed name differs from the one that it covers. Nothing at all: it was written again as it was. */
export type Difference = 'type' | 'size' | 'time' | 'mode' | 'owner' | 'attributes' | 'target';

/** What the layers below had under a name. */
export interface CoveredNode {
  type: NodeType;
  mode: number;
  uid: number;
  gid: number;
  /** bytes; of files alone */
  size: number;
  /** The layer that it is of. */
  layer: number;
}

/** One name in the tree of one layer: what is in the layer, and what the layer removes. */
export interface ExploredNode {
  /** One component. Bytes that are no UTF-8 read \xNN. */
  name: string;
  /** The bytes in hexadecimal, if they are no UTF-8. */
  nameHex?: string;
  type: NodeType;
  /** "unchanged": a directory that is there for what is in it. */
  change: LayerChange;
  differs?: Difference[];
  /** Permissions, without the type. */
  mode: number;
  uid: number;
  gid: number;
  /** bytes that the layer holds for this name and those below it; a file of several names counts for its first */
  size: number;
  /** One more name of a file whose bytes count elsewhere. */
  hardLink?: true;
  /** Of a symlink, text as `name`. */
  target?: string;
  /** Of what is changed or removed. */
  was?: CoveredNode;
  /** bytes of lower layers that this name and those below it made invisible */
  hides?: number;
  /** The layer above that replaces or removes it. */
  hiddenBy?: number;
  /** It hides what the layers below have in it. */
  opaque?: true;
  /** Of a directory, sorted by the bytes of their names. */
  children?: ExploredNode[];
}

export interface ChangeCount {
  /** Names, directories among them. */
  entries: number;
  /** bytes of files: of the layer, or for `removed` of those below */
  bytes: number;
}

export interface ExploredLayer {
  diffId: DiffId;
  /** The blob, and its bytes: compressed, if it came from a registry. */
  digest: Digest;
  blobSize: number;
  /** Of the step that made it, as the image says; may be empty. */
  createdBy: string;
  created?: string;
  comment?: string;
  /** bytes of its files */
  size: number;
  added: ChangeCount;
  changed: ChangeCount;
  removed: ChangeCount;
  /** bytes of layers below that this one replaces or removes */
  hides: number;
  /** bytes of this layer that layers above replace or remove */
  wasted: number;
  tree: ExploredNode[];
}

/** A step of the image's history. */
export interface ExploredStep {
  createdBy: string;
  created?: string;
  comment?: string;
  /** The layer that it made; none for what only changed the configuration. */
  layer?: number;
}

/** Bytes under one path that no container of the image can see. */
export interface WastedPath {
  /** Absolute; bytes that are no UTF-8 read \xNN, and `pathHex` has them all. */
  path: string;
  pathHex?: string;
  bytes: number;
  copies: { layer: number; bytes: number; hiddenBy: number; removed: boolean }[];
}

export interface ImageExploration {
  version: 1;
  id: ImageId;
  tags: string[];
  architecture: string;
  os: string;
  created?: string;
  /** bytes of the files of all layers */
  size: number;
  /** bytes of them that layers above replace or remove */
  wasted: number;
  /** Bottom first. */
  layers: ExploredLayer[];
  /** Oldest first. */
  history: ExploredStep[];
  /** Most bytes first. */
  waste: WastedPath[];
}
