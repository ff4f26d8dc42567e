import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { compressLayer } from '../../src/layer/compress.js';
import { ENGINE_VERB } from '../../src/native/protocol.js';
import { HELPER, tempDir } from './fixture.js';

const MIB = 1 << 20;
const sha256 = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

test('what is compressed comes out again, with both digests, in every size', async (t) => {
  const dir = tempDir(t);
  for (const size of [0, 1, MIB - 1, MIB, MIB + 1, 9 * MIB + 123]) {
    const bytes = Buffer.concat([randomBytes(size >> 1), Buffer.alloc(size - (size >> 1), 'abcdefg ')]);
    const [from, to] = [join(dir, 'in'), join(dir, `out-${size}`)];
    writeFileSync(from, bytes);
    const [input, output] = [openSync(from, 'r'), openSync(to, 'w')];
    const result = await compressLayer({ helperPath: HELPER, input, output });
    closeSync(input);
    closeSync(output);
    const packed = readFileSync(to);
    t.true(gunzipSync(packed).equals(bytes), `${size} bytes`);
    t.deepEqual(result, {
      digest: sha256(packed),
      size: packed.length,
      diffId: sha256(bytes),
      tarSize: size,
    });
  }
});

test('the same bytes on one core as on all, and smaller the more effort', (t) => {
  const input = Buffer.concat(
    Array.from({ length: 200_000 }, (_, i) => Buffer.from(`line ${i * 7919} of a text\n`)),
  );
  const run = (command: string[], ...more: string[]) =>
    execFileSync(command[0] ?? '', [...command.slice(1), ENGINE_VERB, 'compress', ...more], {
      input,
      maxBuffer: 1 << 28,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  const all = run([HELPER]);
  t.true(all.equals(run(['taskset', '-c', '0', HELPER])));
  t.true(all.length < run([HELPER], '--level', '1').length);
});

test('an output that is full and a level that is none are errors', (t) => {
  const full = spawnSync('sh', ['-c', `"$0" ${ENGINE_VERB} compress > /dev/full`, HELPER], { input: 'x' });
  t.is(full.status, 1);
  t.regex(full.stderr.toString(), /"step":"layer.write","errno":28/);
  t.is(spawnSync(HELPER, [ENGINE_VERB, 'compress', '--level', '13'], { input: 'x' }).status, 1);
});
