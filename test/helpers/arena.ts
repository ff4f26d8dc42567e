/** Where attacks are mounted: a store, hostile containers in it, and a tree of the host that must stay as it is. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { FIXTURES } from '../../rootfs-fixtures/debian.js';
import { type Result, Store } from './cli.js';
import { type MadeImage, tarOf } from './images.js';
import { hashTree, leaksAfterSettling } from './leaks.js';

/** Where the containers of an arena have test/fixtures/attacker.c. */
export const ATTACKER = '/attacker';

/** Names a state of a file. */
export function stampOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12);
}

/** test/fixtures/attacker.c as a static program, built once for each state of its source. */
export function builtAttacker(): string {
  const source = 'test/fixtures/attacker.c';
  const path = join(FIXTURES, `attacker-${stampOf(source)}`);
  if (existsSync(path)) return path;
  mkdirSync(FIXTURES, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  execFileSync('cc', ['-static', '-O1', '-Wall', '-o', temporary, source], { stdio: 'pipe' });
  renameSync(temporary, path);
  return path;
}

export class Arena {
  readonly store = new Store();
  readonly tool = builtAttacker();
  readonly dir = mkdtempSync(join(tmpdir(), 'tsrun-arena-'));
  /** Of the host; nothing may come out of it or into it. */
  readonly victim = join(this.dir, 'victim');
  private readonly before: string;
  private readonly ids = new Map<string, string>();

  constructor() {
    mkdirSync(this.victim);
    writeFileSync(join(this.victim, 'secret'), 'of the host');
    this.before = hashTree(this.victim);
  }

  /** `tsrun run --rm` of busybox without a network, with the attacker in it. */
  run(flags: readonly string[], ...command: string[]): Promise<Result> {
    return this.runImage('busybox', flags, ...command);
  }

  runImage(image: string, flags: readonly string[], ...command: string[]): Promise<Result> {
    return this.store.tsrun(['run', '--rm', ...this.standard(), ...flags, image, ...command]);
  }

  /** A container of that name which runs until it is removed, and has said "ready". */
  async start(name: string, flags: readonly string[], ...command: string[]): Promise<void> {
    const args = ['run', '-d', '--name', name, ...this.standard(), ...flags, 'busybox', ...command];
    this.ids.set(name, (await this.store.ok(...args)).trim());
    await this.hears(name, 'ready');
  }

  remove(name: string): Promise<string> {
    return this.store.ok('rm', '-f', name);
  }

  /** Waits until the container has written that word. */
  async hears(name: string, word: string): Promise<void> {
    while (!this.logOf(name).includes(word)) await delay(5);
  }

  /** What the container has written, without asking the engine. */
  logOf(name: string): string {
    const lines = readFileSync(join(this.directoryOf(name), 'log'), 'utf8').split('\n');
    // A last line may be under way.
    return lines.flatMap((line) => (line.endsWith('}') ? JSON.parse(line).log : [])).join('');
  }

  /** Loads images that were made by hand, by their names. */
  loadImages(images: Record<string, MadeImage>): Promise<Result> {
    const files = new Map<string, string>();
    const manifest = Object.entries(images).map(([name, { config, id, layers }]) => {
      const file = (digest: string, bytes: Buffer) => {
        files.set(digest.slice(7), bytes.toString('latin1'));
        return digest.slice(7);
      };
      const paths = layers.map(({ blob, digest }) => file(digest, blob));
      return { Config: file(id, config), RepoTags: [name], Layers: paths };
    });
    files.set('manifest.json', JSON.stringify(manifest));
    const entries = [...files].map(([path, content]) => ({ path, content }));
    return this.store.tsrun(['load', '-q'], { input: tarOf(entries, { latin1: true }) });
  }

  private standard(): string[] {
    return ['--network', 'none', '-v', `${this.tool}:${ATTACKER}:ro`];
  }

  directoryOf(name: string): string {
    return join(this.store.root, 'containers', this.ids.get(name) ?? name);
  }

  /** Pid of the one process that holds the container. */
  monitorOf(name: string): number {
    const { pid } = JSON.parse(readFileSync(join(this.directoryOf(name), 'state'), 'utf8'));
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  }

  /** Removes what runs; the victim is untouched and nothing is left behind. */
  async end(t: ExecutionContext): Promise<void> {
    t.is(hashTree(this.victim), this.before, 'the victim');
    const { stdout } = await this.store.tsrun(['ps', '-aq']);
    const ids = stdout.split('\n').filter(Boolean);
    if (ids.length > 0) await this.store.tsrun(['rm', '-fv', ...ids]);
    t.deepEqual(await leaksAfterSettling(this.store.root), []);
    await this.store.destroy();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
