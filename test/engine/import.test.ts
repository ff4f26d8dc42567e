import { readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { importImage } from '../../src/engine/import.js';
import type { TsrunError } from '../../src/errors.js';
import { plainTar } from '../../src/layer/archive-reader.js';
import { testStore } from '../helpers/image-store.js';
import { file, tar } from '../layer/tar-builder.js';

const good = gzipSync(tar(file('a', 'content'.repeat(1000))));
const wrongSum = Buffer.from(good);
wrongSum.writeUInt32LE(1, good.length - 8);
const BROKEN: Record<string, Buffer> = {
  'gzip with a wrong checksum': wrongSum,
  'gzip cut short': good.subarray(0, 40),
  'gzip of nothing that is gzip': Buffer.from([0x1f, 0x8b, 1, 2, 3, 4, 5]),
  'zstd with a window of 2 GiB': Buffer.from('28b52ffd00a8010000', 'hex'),
  'xz cut short': Buffer.from('fd377a585a000004', 'hex'),
};

for (const [name, archive] of Object.entries(BROKEN))
  test(`${name} is refused as a broken archive, and leaves nothing`, async (t) => {
    const store = await testStore();
    t.teardown(store.remove);
    const error = await t.throwsAsync<TsrunError>(importImage(store.context, Readable.from([archive])));
    t.is(error.code, 'FORMAT');
    t.regex(error.message, /^the archive cannot be read: /);
    const { paths } = store.store;
    t.deepEqual([readdirSync(paths.staging), readdirSync(paths.blobs)], [['ingest'], []]);
  });

test('a stream that fails before it is read keeps its error for its reader', async (t) => {
  const plain = await plainTar(Readable.from([BROKEN['gzip of nothing that is gzip']]));
  await new Promise((resolve) => plain.once('close', resolve));
  await t.throwsAsync(plain.toArray());
});
