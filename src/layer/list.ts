/** Reads all that is in unpacked layers: names are bytes, and what they are is not interpreted here. */
import { Writable } from 'node:stream';
import { TsrunError } from '../errors.js';
import type { ListResult } from '../native/protocol.js';
import type { ListedNode } from '../types/explore.js';
import { runTreeVerb } from './helper.js';

export interface ListRequest {
  helperPath: string;
  /** Unpacked directories. */
  dirs: readonly string[];
  signal?: AbortSignal;
}

/** Each layer is one open file of the helper's before it may raise its limit. */
const AT_ONCE = 256;

/** The top-level names of each directory, with all that is below them. @throws TsrunError */
export async function listLayers({ helperPath, dirs, signal }: ListRequest): Promise<ListedNode[][]> {
  const layers: ListedNode[][] = [];
  for (let from = 0; from < dirs.length; from += AT_ONCE) {
    const parser = new ListParser();
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        try {
          parser.feed(chunk);
          done();
        } catch (error) {
          done(error as Error);
        }
      },
    });
    const some = dirs.slice(from, from + AT_ONCE);
    const args = some.flatMap((dir) => ['--layer', dir]);
    const result = await runTreeVerb<ListResult>({ helperPath, verb: 'list', args, output, signal });
    if (parser.layers.length !== some.length || parser.count !== result.entries || parser.rest !== '')
      throw malformed();
    layers.push(...parser.layers);
  }
  return layers;
}

const TYPES: Record<string, ListedNode['type']> = {
  d: 'directory',
  o: 'directory',
  f: 'file',
  l: 'symlink',
  c: 'char',
  b: 'block',
  p: 'fifo',
  s: 'socket',
  w: 'whiteout',
};

/** Numbers and the like that stand before a name. */
const FIELDS = 9;

/** Takes the records of native/layer/listing.h as they come. */
export class ListParser {
  /** Those that have been told to their end. */
  readonly layers: ListedNode[][] = [];
  count = 0;
  /** What has come of the next record. */
  rest = '';
  /** Directories that are being told, the root first. */
  #path: ListedNode[][] = [[]];
  #link: ListedNode | undefined;

  feed(chunk: Buffer): void {
    const text = this.rest + chunk.toString('latin1');
    let at = 0;
    for (let end = text.indexOf('\0', at); end >= 0; end = text.indexOf('\0', at)) {
      this.#record(text, at, end);
      at = end + 1;
    }
    this.rest = text.slice(at);
  }

  #record(text: string, start: number, end: number): void {
    if (this.#link !== undefined) {
      this.#link.target = text.slice(start, end);
      this.#link = undefined;
    } else if (start === end) {
      this.layers.push(this.#path[0] ?? []);
      this.#path = [[]];
    } else this.#node(text, start, end);
  }

  #node(text: string, start: number, end: number): void {
    const fields: string[] = [];
    let at = start;
    for (let i = 0; i < FIELDS; i++) {
      const space = text.indexOf(' ', at);
      if (space < 0 || space >= end) throw malformed();
      fields.push(text.slice(at, space));
      at = space + 1;
    }
    const [kind = '', depth, mode, uid, gid, size, mtime = '', links, xattrs = ''] = fields;
    const type = TYPES[kind];
    const siblings = this.#path[Number(depth)];
    if (type === undefined || siblings === undefined) throw malformed();
    const node: ListedNode = {
      type,
      name: text.slice(at, end),
      mode: Number(mode),
      uid: Number(uid),
      gid: Number(gid),
      size: Number(size),
      mtime,
      links: Number(links),
      xattrs,
    };
    siblings.push(node);
    this.count += 1;
    if (type === 'symlink') this.#link = node;
    if (type !== 'directory') return;
    if (kind === 'o') node.opaque = true;
    node.children = [];
    this.#path.length = Number(depth) + 1;
    this.#path.push(node.children);
  }
}

function malformed(): TsrunError {
  return new TsrunError('HELPER', 'the list of files is malformed', { step: 'helper.list' });
}
