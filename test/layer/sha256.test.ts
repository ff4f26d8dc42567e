import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { tempDir } from './fixture.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const NATIVE = resolve(HERE, '../../native');

test('both engines agree with the standard at every border of blocks and padding', (t) => {
  const program = join(tempDir(t), 'check');
  const sources = [join(HERE, 'sha256_check.cc'), join(NATIVE, 'layer/sha256.cc')];
  execFileSync('g++', ['-std=c++20', '-O1', `-I${NATIVE}`, ...sources, '-o', program]);
  for (const size of [0, 1, 55, 56, 63, 64, 65, 111, 112, 119, 120, 127, 128, 1000, 100_003]) {
    const input = Buffer.from(Array.from({ length: size }, (_, at) => (at * 31 + size) & 0xff));
    const expected = createHash('sha256').update(input).digest('hex');
    for (const engine of ['portable', 'best']) {
      for (const piece of ['7', '64', '100000']) {
        const found = execFileSync(program, [engine, piece], { input, encoding: 'utf8' }).trim();
        t.is(found, expected, `${engine}, ${size} bytes in pieces of ${piece}`);
      }
    }
  }
});
