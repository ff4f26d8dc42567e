/** A directory on the host that the archives aim at. It has to stay as it is. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTree, readXattrs } from '../layer/fixture.js';

/** Attributes are read by another program: not after every archive. */
const ATTRIBUTES_EVERY = 200;

export class HostWatch {
  /** What the archives are told to attack. */
  readonly victim: string;
  readonly #base: string;
  readonly #tree: string;
  readonly #attributes: string;
  #looks = 0;

  /** `base`: everything of the run lies below it. */
  constructor(base: string) {
    this.#base = base;
    this.victim = join(base, 'victim');
    mkdirSync(join(this.victim, 'dir'), { recursive: true });
    writeFileSync(join(this.victim, 'file'), 'untouched', { mode: 0o640 });
    writeFileSync(join(this.victim, 'dir/inner'), 'untouched too');
    symlinkSync('file', join(this.victim, 'link'));
    this.#tree = this.#hash();
    this.#attributes = readXattrs(this.victim);
  }

  /** What is wrong, if anything is. */
  look(): string | undefined {
    if (this.#hash() !== this.#tree) return 'the host was changed';
    this.#looks += 1;
    if (this.#looks % ATTRIBUTES_EVERY === 0 && readXattrs(this.victim) !== this.#attributes)
      return 'attributes of the host were changed';
    return undefined;
  }

  #hash(): string {
    const state = JSON.stringify([
      readTree(this.victim),
      readdirSync(this.#base).filter((n) => !/^work\d/.test(n)),
    ]);
    return createHash('sha256').update(state).digest('hex');
  }
}
