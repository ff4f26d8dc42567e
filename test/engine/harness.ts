/** An engine on a store of its own, with a busybox image in it, for tests against the real helper. */
import { createReadStream, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { makeBusyboxArchive } from '../../rootfs-fixtures/busybox.js';
import { createEngine } from '../../src/index.js';
import type { Engine, EngineOptions, RunOptions } from '../../src/types/engine.js';
import type { ContainerId } from '../../src/types/ids.js';

export interface Bench {
  engine: Engine;
  root: string;
  /** A second engine on the same store, as another process would have it. */
  another(options?: EngineOptions): Engine;
}

let busybox: string | undefined;

/** The archive of the image, made once per test file. */
function busyboxArchive(): string {
  if (busybox !== undefined) return busybox;
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-busybox-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  busybox = join(dir, 'busybox.tar');
  makeBusyboxArchive(busybox);
  return busybox;
}

/** Runs `test` with an engine; afterwards every container is gone, and so is the store. */
export async function withEngine(test: (bench: Bench) => Promise<void>): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'tsrun-engine-'));
  const root = join(work, 'root');
  const another = (options: EngineOptions = {}): Engine => createEngine({ root, ...options });
  const engine = another();
  try {
    await engine.load(createReadStream(busyboxArchive()));
    await test({ engine, root, another });
  } finally {
    for (const { id } of await engine.ps({ all: true })) await engine.remove(id, { force: true });
    rmSync(work, { recursive: true, force: true });
  }
}

export interface RunResult {
  id: ContainerId;
  code: number;
  stdout: string;
  stderr: string;
}

/** create, start, read everything, wait: what `tsrun run` does. The default network needs no nft: none. */
export async function run(
  engine: Engine,
  options: Partial<RunOptions> & { command: string[] },
): Promise<RunResult> {
  const { id } = await engine.create({ image: 'busybox', network: 'none', ...options });
  const attachment = await engine.start(id, {
    attach: { stdout: true, stderr: true, stdin: options.interactive },
  });
  if (attachment === undefined) throw new Error('no attachment');
  const [stdout, stderr, code] = await Promise.all([
    text(attachment.stdout),
    text(attachment.stderr),
    attachment.exit,
  ]);
  return { id, code, stdout, stderr };
}

/** Everything that a stream of an attachment brings. */
export function allOf(stream: Readable | undefined): Promise<string> {
  return stream === undefined ? Promise.resolve('') : text(stream);
}

/** Names in a directory of the store. */
export function names(root: string, dir: string): string[] {
  return readdirSync(join(root, dir));
}
