/** Trees of layers as rows on a screen: what is folded, filtered, found. Pure. */
import type { ExploredNode, ImageExploration, LayerChange } from '../../src/types/explore.js';

export interface RowSettings {
  /** Changes that are shown. A directory is shown for what is in it, too. */
  changes: ReadonlySet<LayerChange>;
  /** Part of a name or, with a slash, of a path; '' = no search. Case counts if it has a capital letter. */
  search: string;
  bySize: boolean;
  /** Directories that the user opened or closed, by path. */
  folds: ReadonlyMap<string, boolean>;
  /** Of the others. */
  open: boolean;
}

export interface Row {
  node: ExploredNode;
  /** Of the tree: "/etc/passwd", unambiguous also for names that are no UTF-8. */
  path: string;
  depth: number;
  /** For each level above whether more follows there, then for the row itself. */
  more: boolean[];
  /** Undefined for what cannot be folded. */
  open?: boolean;
}

/** Unambiguous: a name has no NUL. */
export function keyOf({ name, nameHex }: Pick<ExploredNode, 'name' | 'nameHex'>): string {
  return nameHex === undefined ? name : `\0${nameHex}`;
}

export function countNodes(nodes: readonly ExploredNode[], limit: number): number {
  let count = nodes.length;
  for (const node of nodes) {
    if (count > limit) break;
    if (node.children) count += countNodes(node.children, limit - count);
  }
  return count;
}

export function rowsOf(nodes: readonly ExploredNode[], settings: RowSettings): Row[] {
  const wanted = settings.search === '' ? undefined : matcher(settings.search);
  const kept = new Map<ExploredNode, ExploredNode[]>();
  const found = new Set<ExploredNode>();
  const top = keep(nodes, '', settings.changes, wanted, false, kept, found);
  const rows: Row[] = [];
  const list = (children: readonly ExploredNode[], parent: string, more: boolean[]) => {
    const sorted = settings.bySize ? [...children].sort(bySize) : children;
    sorted.forEach((node, index) => {
      const path = `${parent}/${keyOf(node)}`;
      const row: Row = { node, path, depth: more.length, more: [...more, index < sorted.length - 1] };
      const below = kept.get(node) ?? [];
      if (below.length > 0) row.open = settings.folds.get(path) ?? (found.has(node) || settings.open);
      rows.push(row);
      if (row.open) list(below, path, row.more);
    });
  };
  list(top, '', []);
  return rows;
}

/** Those to be shown; `kept` gets the same of each directory, `found` those with a hit somewhere in them. */
function keep(
  nodes: readonly ExploredNode[],
  parent: string,
  changes: ReadonlySet<LayerChange>,
  wanted: ((path: string) => boolean) | undefined,
  inHit: boolean,
  kept: Map<ExploredNode, ExploredNode[]>,
  found: Set<ExploredNode>,
): ExploredNode[] {
  return nodes.filter((node) => {
    const path = `${parent}/${node.name}`;
    const hit = wanted?.(path) ?? false;
    const inside = inHit || hit;
    let below = 0;
    if (node.children) {
      const children = keep(node.children, path, changes, wanted, inside, kept, found);
      kept.set(node, children);
      below = children.length;
      if (wanted && children.some((child) => found.has(child) || wanted(`${path}/${child.name}`)))
        found.add(node);
    }
    return below > 0 || (changes.has(node.change) && (wanted === undefined || inside));
  });
}

function matcher(search: string): (path: string) => boolean {
  const exact = search !== search.toLowerCase();
  const whole = search.includes('/');
  return (path) => {
    const text = whole ? path : path.slice(path.lastIndexOf('/') + 1);
    return (exact ? text : text.toLowerCase()).includes(search);
  };
}

/** What it weighs: bytes of its own, or those that it removed. */
export function weight(node: ExploredNode): number {
  return Math.max(node.size, node.hides ?? 0);
}

function bySize(a: ExploredNode, b: ExploredNode): number {
  return weight(b) - weight(a);
}

/**
 * All files that a container of the image up to `layer` would see, and those that this layer removes. Of what the layers
 * below brought `change` is "unchanged".
 */
export function filesUpTo(exploration: ImageExploration, layer: number): ExploredNode[] {
  let files: ExploredNode[] = [];
  for (const { tree } of exploration.layers.slice(0, layer + 1)) files = merge(files, tree);
  return files;
}

function merge(below: readonly ExploredNode[], layer: readonly ExploredNode[]): ExploredNode[] {
  const merged = new Map<string, ExploredNode>();
  for (const node of below) if (node.change !== 'removed') merged.set(keyOf(node), old(node));
  for (const node of layer) {
    const before = merged.get(keyOf(node));
    const children =
      node.children && merge(node.change === 'removed' ? [] : (before?.children ?? []), node.children);
    const size = node.change === 'removed' ? 0 : (children?.reduce((n, c) => n + c.size, 0) ?? node.size);
    merged.set(keyOf(node), { ...node, size, ...(children ? { children } : {}) });
  }
  return [...merged.values()].sort(byName);
}

/** What the layers below left, as a layer sees it that does nothing to it. */
function old(node: ExploredNode): ExploredNode {
  if (node.change === 'unchanged' && node.children === undefined) return node;
  const { differs: _, was: __, hides: ___, ...rest } = node;
  const children = node.children?.filter((child) => child.change !== 'removed').map(old);
  return { ...rest, change: 'unchanged', ...(children ? { children } : {}) };
}

function byName(a: ExploredNode, b: ExploredNode): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
