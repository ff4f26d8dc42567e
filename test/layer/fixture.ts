/** Directories for the layer tests, and the helper under test. All of them need root. */
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ExecutionContext } from 'ava';
import { applyLayer } from '../../src/layer/apply.js';
import { helperPath } from '../../src/native/load.js';
import type { ApplyResult } from '../../src/native/protocol.js';

/** Another build of the helper (sanitizers) can be put in the place of the package's own. */
export const HELPER = process.env.TSRUN_TEST_HELPER ?? helperPath();

export function tempDir(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-layer-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

let count = 0;
/** An empty directory below `base`. */
export function emptyDir(base: string): string {
  const dir = join(base, `d${count++}`);
  mkdirSync(dir);
  return dir;
}

export function apply(archive: Buffer, target: string, lower?: string[]): Promise<ApplyResult> {
  return applyLayer({ helperPath: HELPER, input: Readable.from([archive]), target, lower });
}

/** Path -> what is there: type, mode, owner, times, content or link, device, attributes. Names as latin1. */
export type Tree = Record<string, string>;

function describe(path: Buffer): string {
  const s = lstatSync(path, { bigint: true });
  const owner = `${(s.mode & 0o7777n).toString(8)} ${s.uid}:${s.gid} ${s.mtimeNs}`;
  if (s.isSymbolicLink()) return `link ${owner} -> ${readlinkSync(path, 'latin1')}`;
  if (s.isDirectory()) return `dir ${owner}`;
  if (s.isFile()) return `file ${owner} links=${s.nlink} ${readFileSync(path).toString('base64')}`;
  if (s.isFIFO()) return `fifo ${owner}`;
  return `${s.isBlockDevice() ? 'block' : 'char'} ${owner} ${s.rdev}`;
}

export function readTree(root: string): Tree {
  const tree: Tree = {};
  const walk = (dir: Buffer, prefix: string) => {
    for (const name of readdirSync(dir, { encoding: 'buffer' })) {
      const path = Buffer.concat([dir, Buffer.from('/'), name]);
      const key = prefix + name.toString('latin1');
      tree[key] = describe(path);
      if (lstatSync(path).isDirectory()) walk(path, `${key}/`);
    }
  };
  walk(Buffer.from(root), '');
  return tree;
}

/** Just the names, sorted. */
export function namesIn(root: string): string[] {
  return Object.keys(readTree(root)).sort();
}

/** All extended attributes below `root`, as getfattr prints them. */
export function readXattrs(root: string): string {
  return execFileSync('getfattr', ['-Rhd', '-m', '-', '-e', 'hex', '.'], { cwd: root, encoding: 'utf8' })
    .split('\n\n')
    .sort()
    .join('\n\n');
}

export function isWhiteout(path: string): boolean {
  const status = lstatSync(path);
  return status.isCharacterDevice() && status.rdev === 0;
}

export function isOpaque(path: string): boolean {
  const [attributes] = readXattrsOf(path);
  return attributes?.includes('trusted.overlay.opaque="y"') ?? false;
}

function readXattrsOf(path: string): string[] {
  return [execFileSync('getfattr', ['-hd', '-m', '-', '--absolute-names', path], { encoding: 'utf8' })];
}

/** Mounts an overlay in a private mount namespace and runs a shell script in its root. */
export function inOverlay(lower: string[], upper: string, work: string, script: string): string {
  const mount = `mount -t overlay overlay -o lowerdir=${lower.join(':')},upperdir=${upper},workdir=${work} ${work}`;
  const command = `${mount} && cd ${work} && { ${script}\n}`;
  return execFileSync('unshare', ['-m', 'sh', '-ec', command], { encoding: 'utf8' });
}

/** The merged view of read-only layers, topmost first. */
export function mergedNames(layers: string[], base: string): string[] {
  const upper = emptyDir(base);
  const work = emptyDir(base);
  const text = inOverlay(layers, upper, work, 'find . -mindepth 1 -printf "%P\\n"');
  return text.split('\n').filter(Boolean).sort();
}
