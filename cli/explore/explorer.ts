/** The explorer of an image's layers without its screen: what is selected, folded, filtered, and what keys do to that. */
import type {
  ExploredLayer,
  ExploredNode,
  ImageExploration,
  LayerChange,
  WastedPath,
} from '../../src/types/explore.js';
import { countNodes, filesUpTo, type Row, rowsOf } from './tree-rows.js';

export type Pane = 'layers' | 'files';
/** What the right side shows: the selected layer's own tree, all files up to it, or the bytes that nobody sees. */
export type View = 'layer' | 'all' | 'waste';

const VIEWS: readonly View[] = ['layer', 'all', 'waste'];
const ALL_CHANGES: readonly LayerChange[] = ['added', 'changed', 'removed', 'unchanged'];
const FILTERS: Record<string, LayerChange> = { a: 'added', c: 'changed', r: 'removed', u: 'unchanged' };
/** Trees with no more names than this are shown unfolded. */
const SMALL = 60;

/** A list with a selected line, of which `height` lines are seen. */
export class Cursor {
  at = 0;
  top = 0;

  /** Keeps the selected line in the list and in sight. */
  settle(length: number, height: number): void {
    this.at = Math.max(0, Math.min(this.at, length - 1));
    this.top = Math.max(0, Math.min(this.top, length - height));
    if (this.at < this.top) this.top = this.at;
    if (this.at >= this.top + height) this.top = this.at - height + 1;
  }
}

export class Explorer {
  pane: Pane = 'layers';
  view: View = 'layer';
  search = '';
  /** The search is being typed. */
  typing = false;
  help = false;
  bySize = false;
  readonly changes = new Set<LayerChange>(ALL_CHANGES);
  readonly layers = new Cursor();
  readonly files = new Cursor();
  /** Lines of each list that the screen has; the screen says so. */
  heights: Record<Pane, number> = { layers: 10, files: 10 };
  readonly #folds = new Map<string, boolean>();
  readonly #trees = new Map<string, ExploredNode[]>();
  #rows: Row[] | undefined;
  #waste: WastedPath[] | undefined;

  constructor(readonly image: ImageExploration) {}

  get layer(): ExploredLayer | undefined {
    return this.image.layers[this.layers.at];
  }

  /** What the right side lists; not in the view of wasted bytes. */
  get rows(): Row[] {
    this.#rows ??= rowsOf(this.#tree(), {
      changes: this.changes,
      search: this.search,
      bySize: this.bySize,
      folds: this.#folds,
      open: countNodes(this.#tree(), SMALL) <= SMALL,
    });
    return this.#rows;
  }

  get waste(): WastedPath[] {
    const lower = this.search.toLowerCase();
    this.#waste ??= this.image.waste.filter(({ path }) =>
      lower === this.search ? path.toLowerCase().includes(lower) : path.includes(this.search),
    );
    return this.#waste;
  }

  /** Lines of the right side. */
  get length(): number {
    return this.view === 'waste' ? this.waste.length : this.rows.length;
  }

  /** Changes that are filtered out. */
  get hidden(): LayerChange[] {
    return ALL_CHANGES.filter((change) => !this.changes.has(change));
  }

  settle(): void {
    this.layers.settle(this.image.layers.length, this.heights.layers);
    this.files.settle(this.length, this.heights.files);
  }

  /** True when the user wants to leave. */
  press(key: string): boolean {
    if (key === 'ctrl-c') return true;
    if (this.help) this.help = false;
    else if (this.typing) this.#type(key);
    else if (key === 'q') return true;
    else this.#command(key);
    this.settle();
    return false;
  }

  #command(key: string): void {
    if (this.#move(key)) return;
    const filter = FILTERS[key];
    if (filter !== undefined) this.#filter(filter);
    else if (key === 'tab' || key === 'backtab') this.pane = this.pane === 'layers' ? 'files' : 'layers';
    else if (key === '?') this.help = true;
    else if (key === '/') this.typing = true;
    else if (key === 'escape') this.#reset();
    else if (key === 's') this.#change(() => (this.bySize = !this.bySize));
    else if (key === 'v') this.#show(VIEWS[(VIEWS.indexOf(this.view) + 1) % VIEWS.length] ?? 'layer');
    else if (key === 'w') this.#show(this.view === 'waste' ? 'layer' : 'waste');
    else if (this.pane === 'layers') {
      if (['enter', 'right', 'l', 'space'].includes(key)) this.pane = 'files';
    } else this.#fold(key);
  }

  #move(key: string): boolean {
    const page = Math.max(1, this.heights[this.pane] - 1);
    const steps: Record<string, number> = {
      up: -1,
      k: -1,
      down: 1,
      j: 1,
      pageup: -page,
      'ctrl-u': -page,
      pagedown: page,
      'ctrl-d': page,
      home: Number.NEGATIVE_INFINITY,
      g: Number.NEGATIVE_INFINITY,
      end: Number.POSITIVE_INFINITY,
      G: Number.POSITIVE_INFINITY,
    };
    const step = steps[key];
    if (step === undefined) return false;
    const [cursor, length] =
      this.pane === 'layers' ? [this.layers, this.image.layers.length] : [this.files, this.length];
    const before = cursor.at;
    cursor.at = Math.max(0, Math.min(length - 1, cursor.at + step));
    if (this.pane === 'layers' && cursor.at !== before) this.#forget();
    return true;
  }

  #type(key: string): void {
    if (key === 'enter' || key === 'down' || key === 'up' || key === 'tab') {
      this.typing = false;
      if (this.search !== '') this.pane = 'files';
    } else if (key === 'escape') {
      this.typing = false;
      this.#change(() => (this.search = ''));
    } else if (key === 'backspace')
      this.#change(() => (this.search = [...this.search].slice(0, -1).join('')));
    else if (key === 'ctrl-u' || key === 'ctrl-w') this.#change(() => (this.search = ''));
    else if (key === 'space') this.#change(() => (this.search += ' '));
    else if ([...key].length === 1) this.#change(() => (this.search += key));
  }

  #filter(change: LayerChange): void {
    this.#change(() => {
      if (!this.changes.delete(change)) this.changes.add(change);
    });
  }

  /** Search first, then filters. */
  #reset(): void {
    this.#change(() => {
      if (this.search !== '') this.search = '';
      else for (const change of ALL_CHANGES) this.changes.add(change);
    });
  }

  #show(view: View): void {
    this.view = view;
    this.files.at = 0;
    this.#forget();
  }

  #fold(key: string): void {
    if (this.view === 'waste') return;
    const row = this.rows[this.files.at];
    if (key === 'left' || key === 'h') this.#close(row);
    else if (key === '*') this.#foldAll(true);
    else if (key === '-') this.#foldAll(false);
    else if (row?.open === undefined) return;
    else if (key === 'enter' || key === 'space') this.#set(row, !row.open);
    else if (key === 'right' || key === 'l') {
      if (row.open) this.files.at += 1;
      else this.#set(row, true);
    }
  }

  /** An open directory closes; otherwise the one that it is in is selected. */
  #close(row: Row | undefined): void {
    if (row === undefined) return;
    if (row.open) this.#set(row, false);
    else
      for (let at = this.files.at - 1; at >= 0; at--) {
        if ((this.rows[at]?.depth ?? 0) >= row.depth) continue;
        this.files.at = at;
        break;
      }
  }

  #set(row: Row, open: boolean): void {
    this.#change(() => this.#folds.set(row.path, open));
  }

  /** Of the selected directory and all that is in it. */
  #foldAll(open: boolean): void {
    const row = this.rows[this.files.at];
    if (row?.open === undefined) return;
    const fold = (node: ExploredNode, path: string) => {
      this.#folds.set(path, open);
      for (const child of node.children ?? []) {
        if (child.children)
          fold(child, `${path}/${child.nameHex === undefined ? child.name : `\0${child.nameHex}`}`);
      }
    };
    this.#change(() => fold(row.node, row.path));
  }

  /** The selected line stays selected, if it is still there. */
  #change(change: () => void): void {
    const selected = this.view === 'waste' ? undefined : this.rows[this.files.at]?.path;
    change();
    this.#rows = undefined;
    this.#waste = undefined;
    if (selected === undefined) return;
    const at = this.rows.findIndex(({ path }) => path === selected);
    this.files.at = Math.max(0, at);
  }

  #forget(): void {
    this.#rows = undefined;
    this.#waste = undefined;
    if (this.view !== 'waste') this.files.at = 0;
  }

  #tree(): readonly ExploredNode[] {
    if (this.view !== 'all') return this.layer?.tree ?? [];
    const key = String(this.layers.at);
    let tree = this.#trees.get(key);
    if (tree === undefined) {
      // One is enough to go back and forth on: the trees of all layers could be large.
      this.#trees.clear();
      tree = filesUpTo(this.image, this.layers.at);
      this.#trees.set(key, tree);
    }
    return tree;
  }
}
