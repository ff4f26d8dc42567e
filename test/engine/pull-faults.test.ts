/** What a pull makes of downloads that break, lie or are given up, to the files in the store. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { pullImage } from '../../src/engine/pull.js';
import { resolveImage } from '../../src/engine/resolve-image.js';
import type { TsrunError } from '../../src/errors.js';
import { type Asked, fakeServer } from '../helpers/fake-registry.js';
import { testStore } from '../helpers/image-store.js';
import { imageOf, layerOf } from '../helpers/images.js';

/** Does not shrink, so the blob is as long as the text. */
const TEXT = randomBytes(1_500_000).toString('base64');
const layer = layerOf([
  { path: 'etc/', dir: true },
  { path: 'etc/text', content: TEXT },
]);
const image = imageOf([layer]);

/** Answers for everything but the layer, which `blob` answers for. */
async function server(t: ExecutionContext, blob: (asked: Asked, response: ServerResponse) => void) {
  const made = await fakeServer((asked, response) => {
    if (asked.url.includes(layer.digest)) return blob(asked, response);
    const isConfig = asked.url.includes(image.id);
    const body = isConfig ? image.config : image.manifest;
    if (asked.url.includes('/manifests/')) response.setHeader('content-type', image.mediaType);
    response.end(body);
  });
  t.teardown(() => made.stop());
  return made;
}

function sendFrom(asked: Asked, response: ServerResponse): void {
  const start = Number(/^bytes=(\d+)-$/.exec(asked.headers.range ?? '')?.[1] ?? 0);
  const { length } = layer.blob;
  if (start > 0) response.writeHead(206, { 'content-range': `bytes ${start}-${length - 1}/${length}` });
  response.end(layer.blob.subarray(start));
}

async function open(t: ExecutionContext, hosts: string[]) {
  const certsDir = mkdtempSync(join(tmpdir(), 'tsrun-certs-'));
  t.teardown(() => rmSync(certsDir, { recursive: true }));
  mkdirSync(join(certsDir, 'reg.example'));
  const mirrors = hosts.slice(0, -1).map((host) => `[host."http://${host}"]\n`);
  writeFileSync(
    join(certsDir, 'reg.example', 'hosts.toml'),
    `server = "http://${hosts.at(-1)}"\n${mirrors.join('')}`,
  );
  const made = await testStore({ certsDir });
  t.teardown(made.remove);
  const text = () =>
    readFileSync(
      join(resolveImage(made.store.paths, 'reg.example/app').layerDirs[0] ?? '', 'etc/text'),
      'utf8',
    );
  return { ...made, text };
}

test('the pull after one that was given up asks for the rest only', async (t) => {
  const ranges: (string | undefined)[] = [];
  const { host } = await server(t, (asked, response) => {
    ranges.push(asked.headers.range);
    if (ranges.length > 1) return sendFrom(asked, response);
    response.writeHead(200, { 'content-length': layer.blob.length });
    response.write(layer.blob.subarray(0, 700_000)); // and then nothing
  });
  const { context, content, text } = await open(t, [host]);
  const stop = new AbortController();
  const given = pullImage(context, 'reg.example/app', {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.kind === 'layer' && (event.current ?? 0) > 0) stop.abort();
    },
  });
  t.is((await t.throwsAsync<TsrunError>(given))?.code, 'CANCELLED');
  t.deepEqual((await content()).staging, [layer.digest.slice(7)], 'a sweep leaves it');
  await pullImage(context, 'reg.example/app');
  t.is(text(), TEXT);
  t.regex(ranges[1] ?? '', /^bytes=[1-9]\d+-$/);
  t.deepEqual((await content()).staging, []);
});

test('a beginning that is not that of the blob costs one more download, not the pull', async (t) => {
  const { host, asked } = await server(t, sendFrom);
  const { context, store, text } = await open(t, [host]);
  writeFileSync(join(store.paths.ingest, layer.digest.slice(7)), Buffer.alloc(1000));
  await pullImage(context, 'reg.example/app');
  t.is(text(), TEXT);
  const blobs = asked.filter(({ url }) => url.includes(layer.digest));
  t.deepEqual(
    blobs.map(({ headers }) => headers.range),
    ['bytes=1000-', undefined],
  );
});

for (const [what, lie] of [
  ['other bytes', Buffer.from(layer.blob).fill(0, 1_000_000, 1_000_500)],
  ['another archive', layerOf([{ path: 'etc/text', content: `${TEXT.slice(0, -4)}AAAA` }]).blob],
] as const)
  test(`${what} from a mirror: the layer is unpacked again from what the registry sends`, async (t) => {
    const liar = await server(t, (_, response) => response.end(lie));
    const { host } = await server(t, sendFrom);
    const { context, text, content } = await open(t, [liar.host, host]);
    await pullImage(context, 'reg.example/app');
    t.is(text(), TEXT);
    t.true(liar.asked.some(({ url }) => url.includes(layer.digest)));
    const { staging, layers } = await content();
    t.deepEqual(staging, []);
    t.is(layers.length, 2, 'the layer and its record');
  });
