/**
 * What a pull or a push tells: on a terminal one row per layer, rewritten in place; elsewhere one line per change of
 * status. Pure apart from the clock: text goes to `write`.
 */
import type { LayerStatus, PullEvent, PushEvent, PushStatus } from '../../src/types/engine.js';
import { escapeControls } from './escape.js';
import { humanSize } from './units.js';

export interface RowOptions {
  write(text: string): void;
  /** Columns of the terminal; undefined = not a terminal. */
  columns?: number;
  now?: () => number;
}

export interface ProgressOptions extends RowOptions {
  /** The pull is the whole command (it says "Using default tag" and ends with the full reference). */
  standalone: boolean;
  /** One tag after another is pulled: the status is that of all of them, and comes at the end. */
  allTags?: boolean;
}

/** The bar needs a wide terminal. */
const BAR_COLUMNS = 110;
const BAR_CELLS = 50;
/** Milliseconds between two redraws of one row's bytes. */
const REDRAW = 100;

interface LayerEvent {
  id: string;
  status: LayerStatus | PushStatus;
  current?: number;
  total?: number;
}

class LayerRows {
  private readonly rows = new Map<string, { status?: string; drawn: number }>();

  constructor(private readonly options: RowOptions) {}

  tell(event: LayerEvent): void {
    const { write, columns, now = Date.now } = this.options;
    const known = this.rows.get(event.id);
    const row = known ?? { drawn: 0 };
    const changed = row.status !== event.status;
    if (columns === undefined) {
      this.rows.set(event.id, row);
      if (changed) write(`${escapeControls(`${event.id}: ${event.status}`)}\n`);
      row.status = event.status;
      return;
    }
    const finished = event.total !== undefined && event.current === event.total;
    if (!changed && !finished && now() - row.drawn < REDRAW) return;
    const text = clip(`${event.id}: ${event.status} ${amount(event, columns)}`.trimEnd(), columns);
    row.status = event.status;
    row.drawn = now();
    if (known === undefined) {
      this.rows.set(event.id, row);
      write(`${text}\n`);
      return;
    }
    const up = this.rows.size - [...this.rows.keys()].indexOf(event.id);
    write(`\x1b[${up}A\r\x1b[2K${text}\r\x1b[${up}B`);
  }
}

export class PullProgress {
  private rows: LayerRows;

  constructor(private readonly options: ProgressOptions) {
    this.rows = new LayerRows(options);
  }

  event(event: PullEvent): void {
    const { write, standalone } = this.options;
    switch (event.kind) {
      case 'resolving':
        this.rows = new LayerRows(this.options);
        if (event.defaultTag && standalone) write('Using default tag: latest\n');
        break;
      case 'found':
        write(`${escapeControls(`${event.tag}: Pulling from ${event.repository}`)}\n`);
        break;
      case 'layer':
        this.rows.tell(event);
        break;
      case 'done':
        write(`${escapeControls(`Digest: ${event.digest}`)}\n`);
        if (!this.options.allTags) this.status(familiarName(event.reference), event.upToDate);
    }
  }

  /** The last line: what came of it. */
  status(name: string, upToDate: boolean): void {
    const text = upToDate ? `Image is up to date for ${name}` : `Downloaded newer image for ${name}`;
    this.options.write(`${escapeControls(`Status: ${text}`)}\n`);
  }
}

export class PushProgress {
  private readonly rows: LayerRows;

  constructor(private readonly options: RowOptions) {
    this.rows = new LayerRows(options);
  }

  event(event: PushEvent): void {
    const { write } = this.options;
    if (event.kind === 'layer') this.rows.tell(event);
    else if (event.kind === 'repository')
      write(`${escapeControls(`The push refers to repository [${event.repository}]`)}\n`);
    else write(`${escapeControls(`${event.tag}: digest: ${event.digest} size: ${event.size}`)}\n`);
  }
}

function amount(event: LayerEvent, columns: number): string {
  const { status, current, total } = event;
  if (!['Downloading', 'Extracting', 'Pushing'].includes(status) || current === undefined) return '';
  if (!total) return humanSize(current, 4);
  const bytes = `${humanSize(current, 4).padStart(8)}/${humanSize(total, 4)}`;
  if (columns <= BAR_COLUMNS) return bytes.trimStart();
  const filled = Math.min(BAR_CELLS, Math.floor((current / total) * BAR_CELLS));
  const arrow = filled < BAR_CELLS ? '>' : '';
  return `[${('='.repeat(filled) + arrow).padEnd(BAR_CELLS)}] ${bytes}`;
}

/** A row that wraps would break the cursor's arithmetic. */
function clip(text: string, columns: number): string {
  return escapeControls(text).slice(0, Math.max(columns - 1, 20));
}

/** docker.io/library/redis:7 -> redis:7 */
export function familiarName(reference: string): string {
  const hub = reference.startsWith('docker.io/') ? reference.slice('docker.io/'.length) : reference;
  return hub !== reference && /^library\/[^/]+$/.test(hub) ? hub.slice('library/'.length) : hub;
}
