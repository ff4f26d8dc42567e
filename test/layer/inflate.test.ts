/** The inflater against Node's zlib: every kind of block and header, every cut, and mutations of them. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, crc32, gunzipSync, gzipSync, type ZlibOptions } from 'node:zlib';
import test from 'ava';
import { randomFrom } from './random.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const NATIVE = resolve(HERE, '../../native');
const random = randomFrom(7);

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

const dir = mkdtempSync(join(tmpdir(), 'tsrun-inflate-'));
const program = join(dir, 'check');
test.after.always(() => rmSync(dir, { recursive: true }));

test.before('the check program, with sanitizers', () => {
  const names = ['inflate', 'gzip', 'deflate', 'huffman', 'bytes', 'sha256'];
  const sources = [
    join(HERE, 'inflate_check.cc'),
    ...names.map((name) => join(NATIVE, 'layer', `${name}.cc`)),
  ];
  const flags = ['-std=c++20', '-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  execFileSync('g++', [...flags, `-I${NATIVE}`, ...sources, '-o', program, '-ldeflate', '-lzstd']);
});

/** One line per case. */
function inflate(cases: readonly Buffer[]): string[] {
  const input = Buffer.concat(
    cases.flatMap((bytes) => {
      const size = Buffer.alloc(4);
      size.writeUInt32LE(bytes.length);
      return [size, bytes];
    }),
  );
  return execFileSync(program, { input, encoding: 'utf8', maxBuffer: 1 << 30 })
    .trimEnd()
    .split('\n');
}

/** Texts with matches near and far, noise, and long runs. */
function sample(size: number): Buffer {
  const out = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const length = Math.min(1 + random(600), size - at);
    const kind = random(4);
    if (kind === 0) for (let i = 0; i < length; i += 1) out[at + i] = random(256);
    else if (kind === 1) out.fill(random(256), at, at + length);
    else if (kind === 2) out.write('the quick brown fox '.repeat(40).slice(0, length), at, 'latin1');
    else if (at > 0) {
      const distance = 1 + random(Math.min(at, 40_000));
      for (let i = 0; i < length; i += 1) out[at + i] = out[at + i - distance] as number;
    }
    at += length;
  }
  return out;
}

function options(): ZlibOptions {
  const { Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE } = constants;
  return {
    level: random(10),
    strategy: [Z_DEFAULT_STRATEGY, Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE][random(5)],
    windowBits: 9 + random(7),
    memLevel: 1 + random(9),
  };
}

test('whatever zlib writes comes out, whatever the room for it', (t) => {
  const texts = [0, 1, 2, 257, 258, 259, 32_767, 32_768, 32_769, 262_144, 700_000].map(sample);
  const cases = texts.flatMap((text) =>
    Array.from({ length: 24 }, () => ({ text, gz: gzipSync(text, options()) })),
  );
  const lines = inflate(cases.map(({ gz }) => gz));
  t.is(lines.length, cases.length);
  for (const [i, { text }] of cases.entries())
    t.is(lines[i], sha256(text), `case ${i}, ${text.length} bytes`);
});

test('members follow each other, and headers may say more', (t) => {
  const [a, b] = [sample(50_000), sample(3)];
  const plain = gzipSync(a);
  const body = plain.subarray(10);
  const header = (flags: number, ...rest: (string | number[])[]) =>
    Buffer.concat([
      Buffer.from([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3]),
      ...rest.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : Buffer.from(part))),
    ]);
  const checked = header(2 | 4 | 8 | 16, [3, 0, 9, 9, 9], 'name', 'comment');
  const check = Buffer.alloc(2);
  check.writeUInt16LE(crc32(checked) & 0xffff);
  const good: [Buffer, Buffer][] = [
    [Buffer.concat([plain, gzipSync(b), gzipSync(Buffer.alloc(0)), plain]), Buffer.concat([a, b, a])],
    [Buffer.concat([plain, Buffer.alloc(1000)]), a],
    [Buffer.concat([header(1 | 4 | 8 | 16, [3, 0, 9, 9, 9], 'name', 'comment'), body]), a],
    [Buffer.concat([checked, check, body]), a],
  ];
  const bad: [Buffer, string][] = [
    [
      Buffer.concat([checked, Buffer.from([check[0] ?? 0, (check[1] ?? 0) ^ 1]), body]),
      '! gzip: incorrect header check',
    ],
    [Buffer.concat([header(32), body]), '! gzip: unknown header flags'],
    [Buffer.concat([plain, Buffer.from('xy')]), '! gzip: invalid header'],
    [Buffer.concat([plain, Buffer.alloc(10), plain]), '! gzip: invalid header'],
    [
      Buffer.concat([plain.subarray(0, -8), Buffer.alloc(4), plain.subarray(-4)]),
      '! gzip: incorrect data check',
    ],
    [Buffer.concat([plain.subarray(0, -4), Buffer.alloc(4)]), '! gzip: incorrect length check'],
    // A match at the very beginning of a second member would reach into the first.
    [
      Buffer.concat([
        plain,
        Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x03, 0x02, 0, 0, 0, 0, 0, 0, 0, 0]),
      ]),
      '! gzip: invalid distance',
    ],
  ];
  const lines = inflate([...good, ...bad].map(([gz]) => gz));
  t.deepEqual(lines, [...good.map(([, text]) => sha256(text)), ...bad.map(([, why]) => why)]);
});

test('a stream that is cut anywhere is said to be', (t) => {
  const whole = [
    gzipSync(sample(900), { level: 9 }),
    gzipSync(sample(300), { level: 0 }),
    gzipSync(sample(700), { strategy: constants.Z_FIXED }),
  ];
  const cases = whole.flatMap((gz) => Array.from({ length: gz.length - 4 }, (_, i) => gz.subarray(0, i + 3)));
  const lines = inflate(cases);
  t.is(lines.length, cases.length);
  t.deepEqual([...new Set(lines)], ['! unexpected EOF']);
});

test('zlib and ours take the same mutations, and say the same of them', (t) => {
  const originals = Array.from({ length: 40 }, () => gzipSync(sample(20 + random(3000)), options()));
  const cases = Array.from({ length: 6000 }, () => {
    const gz = Buffer.from(originals[random(originals.length)] as Buffer);
    for (let n = 1 + random(2); n > 0; n -= 1) {
      // The headers of blocks are where it is decided most: they come first.
      const at = 10 + random(random(2) === 0 ? Math.min(90, gz.length - 10) : gz.length - 10);
      gz[at] = random(2) === 0 ? random(256) : (gz[at] as number) ^ (1 << random(8));
    }
    return gz;
  });
  const lines = inflate(cases);
  t.is(lines.length, cases.length);
  let taken = 0;
  for (const [i, gz] of cases.entries()) {
    let expected: string | undefined;
    try {
      expected = sha256(gunzipSync(gz));
      taken += 1;
    } catch {
      expected = undefined;
    }
    if (expected === undefined) t.regex(lines[i] ?? '', /^! /, `case ${i}: ${gz.toString('base64')}`);
    else t.is(lines[i], expected, `case ${i}: ${gz.toString('base64')}`);
  }
  t.true(taken > 0 && taken < cases.length);
});
