/** What the archives are given to. Each attempt says what is wrong, or nothing. */
import { createWriteStream, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { importImage } from '../../src/engine/import.js';
import { loadImages } from '../../src/engine/load.js';
import { TsrunError } from '../../src/errors.js';
import { applyLayer } from '../../src/layer/apply.js';
import { listLayers } from '../../src/layer/list.js';
import { packLayer } from '../../src/layer/pack.js';
import { type TestStore, testStore } from '../helpers/image-store.js';

/** The archive's fault, told as that. */
const CLEAN = ['CONTENT', 'FORMAT', 'USAGE'];
/** Layers are read back this often: two more verbs. */
const READ_EVERY = 4;
/** Images in one store before it is made anew. */
const PER_STORE = 50;

async function outcome(work: () => Promise<unknown>): Promise<{ problem?: string; done: boolean }> {
  try {
    await work();
    return { done: true };
  } catch (error) {
    if (error instanceof TsrunError && CLEAN.includes(error.code)) return { done: false };
    const text =
      error instanceof TsrunError ? `${error.code}: ${error.message}` : String((error as Error).stack);
    return { done: false, problem: `not a clean refusal: ${text}` };
  }
}

/** Unpacks, alone or over another layer; what was unpacked must be readable, too. */
export class LayerTarget {
  #attempts = 0;

  constructor(
    private readonly helperPath: string,
    private readonly dir: string,
  ) {
    mkdirSync(dir);
  }

  async apply(archive: Buffer, below?: Buffer): Promise<string | undefined> {
    const lower = join(this.dir, 'lower');
    const target = join(this.dir, 'target');
    try {
      for (const each of [lower, target]) mkdirSync(each);
      const given = below && (await this.#unpack(below, lower, []));
      if (given?.problem) return given.problem;
      const { problem, done } = await this.#unpack(archive, target, given?.done ? [lower] : []);
      this.#attempts += 1;
      if (problem !== undefined || !done || this.#attempts % READ_EVERY !== 0) return problem;
      return (await this.#read(target, given?.done ? [lower] : [])).problem;
    } finally {
      for (const each of [lower, target]) rmSync(each, { recursive: true, force: true });
    }
  }

  #unpack(archive: Buffer, target: string, lower: string[]) {
    const { helperPath } = this;
    return outcome(() => applyLayer({ helperPath, input: Readable.from([archive]), target, lower }));
  }

  #read(upper: string, lower: string[]) {
    const { helperPath } = this;
    return outcome(async () => {
      await listLayers({ helperPath, dirs: [upper, ...lower] });
      await packLayer({ helperPath, upper, lower, output: createWriteStream('/dev/null') });
    });
  }
}

export type Attempt = (store: TestStore, input: Readable) => Promise<unknown>;

/** A verb that stores images: all or nothing, and nothing is left of what it did on the way. */
export class StoreTarget {
  #store: TestStore | undefined;
  #images = 0;

  constructor(
    private readonly helperPath: string,
    private readonly attempt: Attempt,
  ) {}

  async take(archive: Buffer): Promise<string | undefined> {
    const store = await this.#open();
    const before = contentOf(store);
    const { problem, done } = await outcome(() => this.attempt(store, Readable.from([archive])));
    const rest = leftOvers(store);
    if (done) this.#images += 1;
    const after = contentOf(store);
    if (problem !== undefined) return problem;
    if (rest.length > 0) return `left in staging: ${rest.join(' ')}`;
    return done ? undefined : changeOf(before, after);
  }

  close(): void {
    this.#store?.remove();
    this.#store = undefined;
  }

  async #open(): Promise<TestStore> {
    if (this.#images >= PER_STORE) {
      this.close();
      this.#images = 0;
    }
    this.#store ??= await testStore({ helperPath: this.helperPath });
    return this.#store;
  }
}

interface Content {
  index: string;
  files: Set<string>;
}

function contentOf({ store: { paths } }: TestStore): Content {
  return {
    index: readFileSync(paths.index, 'utf8'),
    files: new Set([...readdirSync(paths.blobs), ...readdirSync(paths.layers)]),
  };
}

/** A refusal also collects what nothing refers to any more: less may be there, never more. */
function changeOf(before: Content, after: Content): string | undefined {
  if (before.index !== after.index)
    return `refused, and the images are others: ${before.index} ${after.index}`;
  const added = [...after.files].filter((name) => !before.files.has(name));
  return added.length === 0 ? undefined : `refused, and stored: ${added.join(' ')}`;
}

function leftOvers({ store: { paths } }: TestStore): string[] {
  return [
    ...readdirSync(paths.staging).filter((name) => name !== 'ingest'),
    ...readdirSync(paths.ingest),
    ...readdirSync(paths.trash),
  ];
}

export const load: Attempt = (store, input) => loadImages(store.context, input);

export const importing: Attempt = (store, input) =>
  importImage(store.context, input, { repository: 'mutated:1' });
