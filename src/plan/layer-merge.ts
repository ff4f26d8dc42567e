/** Puts layers on each other, from the bottom up, and notes what each does to what is below it. */
import type {
  ChangeCount,
  CoveredNode,
  Difference,
  ExploredLayer,
  ExploredNode,
  ListedNode,
  WastedPath,
} from '../types/explore.js';
import { textOf } from './byte-text.js';

export type MergedLayer = Pick<
  ExploredLayer,
  'size' | 'added' | 'changed' | 'removed' | 'hides' | 'wasted' | 'tree'
>;

/** A file's bytes in one layer: they are out of sight when all its names there are. */
interface Copy {
  readonly layer: number;
  readonly bytes: number;
  /** Of its first name. */
  readonly path: string;
  names: number;
}

/** A name in the view of the layers so far. */
interface Visible {
  node: ListedNode;
  layer: number;
  shown: ExploredNode;
  copy?: Copy;
  /** Of a directory: merged of all layers that have it. */
  children?: Map<string, Visible>;
  /** The directory of a layer below with which it is merged. */
  merged?: Visible;
}

type Directory = Map<string, Visible>;

/** Feed it the layers bottom first, then take `layers` and `waste`. */
export class LayerMerge {
  readonly layers: MergedLayer[] = [];
  readonly #root: Directory = new Map();
  readonly #waste = new Map<string, WastedPath['copies']>();
  /** Of the layer that is being added: files with several names. */
  #copies = new Map<number, Copy>();
  #layer: MergedLayer = emptyLayer();

  add(nodes: readonly ListedNode[]): void {
    this.#copies = new Map();
    this.#layer = emptyLayer();
    this.layers.push(this.#layer);
    this.#layer.tree = this.#directory(nodes, this.#root, false, '');
    this.#layer.size = this.#layer.tree.reduce((sum, node) => sum + node.size, 0);
  }

  /** Most bytes first. */
  waste(): WastedPath[] {
    const paths = [...this.#waste].map(([path, copies]) => {
      const { text, hex } = textOf(path);
      const bytes = copies.reduce((sum, copy) => sum + copy.bytes, 0);
      return { path: text, ...(hex === undefined ? {} : { pathHex: hex }), bytes, copies };
    });
    return paths.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
  }

  get #index(): number {
    return this.layers.length - 1;
  }

  /** `view`: what the layers below show there; it becomes what they and this one show. */
  #directory(nodes: readonly ListedNode[], view: Directory, opaque: boolean, path: string): ExploredNode[] {
    const shown: ExploredNode[] = [];
    const here = new Set<string>();
    for (const node of nodes) {
      here.add(node.name);
      const below = view.get(node.name);
      if (node.type !== 'whiteout') shown.push(this.#entry(node, view, opaque, `${path}/${node.name}`));
      else if (below !== undefined) {
        shown.push(this.#remove(below));
        view.delete(node.name);
      }
    }
    if (!opaque) return shown;
    for (const [name, below] of view) {
      if (here.has(name)) continue;
      shown.push(this.#remove(below));
      view.delete(name);
    }
    return shown.sort((a, b) => (bytesOf(a) < bytesOf(b) ? -1 : 1));
  }

  #entry(node: ListedNode, view: Directory, opaque: boolean, path: string): ExploredNode {
    const below = view.get(node.name);
    const merges = node.children !== undefined && below?.children !== undefined;
    const differs = below && differences(node, below.node);
    const change = differs === undefined ? 'added' : merges && differs.length === 0 ? 'unchanged' : 'changed';
    const shown = shownOf(node, change);
    if (below !== undefined && change === 'changed') {
      shown.differs = differs;
      shown.was = coveredOf(below);
    }
    let hides = below === undefined || merges ? 0 : this.#hide(below, false);
    const visible: Visible = { node, layer: this.#index, shown };
    if (node.children !== undefined) {
      visible.children = (merges && below.children) || new Map();
      if (merges) visible.merged = below;
      shown.children = this.#directory(node.children, visible.children, opaque || node.opaque === true, path);
      for (const child of shown.children) {
        shown.size += child.size;
        hides += child.hides ?? 0;
      }
    } else if (node.type === 'file') this.#file(visible, path);
    if (hides > 0) shown.hides = hides;
    view.set(node.name, visible);
    if (change !== 'unchanged') count(this.#layer[change], node.children === undefined ? shown.size : 0);
    return shown;
  }

  #file(visible: Visible, path: string): void {
    const { node, shown } = visible;
    const known = node.links === 0 ? undefined : this.#copies.get(node.links);
    if (known !== undefined) {
      known.names += 1;
      visible.copy = known;
      shown.hardLink = true;
      return;
    }
    visible.copy = { layer: this.#index, bytes: node.size, path, names: 1 };
    if (node.links !== 0) this.#copies.set(node.links, visible.copy);
    shown.size = node.size;
  }

  /** It and all in it are out of sight from this layer on. Returns the bytes that nothing shows any more. */
  #hide(below: Visible, removed: boolean): number {
    for (let each: Visible | undefined = below; each !== undefined; each = each.merged)
      each.shown.hiddenBy = this.#index;
    let bytes = 0;
    for (const child of below.children?.values() ?? []) bytes += this.#hide(child, removed);
    const { copy } = below;
    if (copy === undefined) return bytes;
    copy.names -= 1;
    if (copy.names > 0 || copy.bytes === 0) return bytes;
    this.#layer.hides += copy.bytes;
    (this.layers[copy.layer] as MergedLayer).wasted += copy.bytes;
    const copies = this.#waste.get(copy.path) ?? [];
    copies.push({ layer: copy.layer, bytes: copy.bytes, hiddenBy: this.#index, removed });
    this.#waste.set(copy.path, copies);
    return bytes + copy.bytes;
  }

  /** The same, with what is removed as a tree. */
  #remove(below: Visible): ExploredNode {
    const children = [...(below.children?.values() ?? [])].map((child) => this.#remove(child));
    const shown = shownOf(below.node, 'removed');
    shown.was = coveredOf(below);
    const hides =
      this.#hide({ ...below, children: undefined }, true) +
      children.reduce((sum, child) => sum + (child.hides ?? 0), 0);
    if (hides > 0) shown.hides = hides;
    if (below.children !== undefined)
      shown.children = children.sort((a, b) => (bytesOf(a) < bytesOf(b) ? -1 : 1));
    count(this.#layer.removed, below.children === undefined ? hides : 0);
    return shown;
  }
}

function emptyLayer(): MergedLayer {
  const none = (): ChangeCount => ({ entries: 0, bytes: 0 });
  return { size: 0, added: none(), changed: none(), removed: none(), hides: 0, wasted: 0, tree: [] };
}

function count(into: ChangeCount, bytes: number): void {
  into.entries += 1;
  into.bytes += bytes;
}

/** Times and sizes of directories tell nothing: they change with their entries. */
function differences(node: ListedNode, below: ListedNode): Difference[] {
  if (node.type !== below.type) return ['type'];
  const found: Difference[] = [];
  const inode = node.type !== 'directory';
  if (inode && node.size !== below.size) found.push('size');
  if (inode && node.mtime !== below.mtime) found.push('time');
  if (node.mode !== below.mode) found.push('mode');
  if (node.uid !== below.uid || node.gid !== below.gid) found.push('owner');
  if (node.xattrs !== below.xattrs) found.push('attributes');
  if (node.target !== below.target) found.push('target');
  return found;
}

function shownOf(node: ListedNode, change: ExploredNode['change']): ExploredNode {
  const { text, hex } = textOf(node.name);
  const shown: ExploredNode = {
    name: text,
    type: node.type as ExploredNode['type'],
    change,
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    size: 0,
  };
  if (hex !== undefined) shown.nameHex = hex;
  if (node.target !== undefined) shown.target = textOf(node.target).text;
  if (node.opaque && change !== 'removed') shown.opaque = true;
  return shown;
}

function coveredOf({ node, layer }: Visible): CoveredNode {
  const { type, mode, uid, gid, size } = node;
  return { type: type as CoveredNode['type'], mode, uid, gid, size, layer };
}

/** Sorts as the bytes do. */
function bytesOf({ name, nameHex }: ExploredNode): string {
  return nameHex ?? Buffer.from(name).toString('hex');
}
