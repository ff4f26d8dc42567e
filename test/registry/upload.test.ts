/** Uploads that break, move elsewhere, or are not allowed. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { parseReference } from '../../src/intent/reference.js';
import { RegistryUpload } from '../../src/registry/upload.js';
import { digestOf } from '../../src/store/blobs.js';

const DATA = Buffer.from('0123456789abcdef'.repeat(65536));
const BLOB = { mediaType: 'application/octet-stream', digest: digestOf(DATA), size: DATA.length };
const source = { descriptor: BLOB, read: (offset: number) => Readable.from(pieces(offset)) };

function* pieces(offset: number) {
  for (let at = offset; at < DATA.length; at += 65536) yield DATA.subarray(at, at + 65536);
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(t: ExecutionContext, handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

async function uploadTo(t: ExecutionContext, host: string): Promise<RegistryUpload> {
  const certsDir = mkdtempSync(join(tmpdir(), 'tsrun-upload-'));
  t.teardown(() => rmSync(certsDir, { recursive: true }));
  mkdirSync(join(certsDir, host));
  writeFileSync(
    join(certsDir, host, 'hosts.toml'),
    `server = "http://${host}"\n[header]\nx-secret = "mine"\n`,
  );
  const upload = await RegistryUpload.open(parseReference(`${host}/app`), { certsDir, env: {}, retryMs: 1 });
  t.teardown(() => upload.close());
  return upload;
}

test('an upload that breaks goes on where the registry says it stopped', async (t) => {
  let stored = Buffer.alloc(0);
  let patches = 0;
  const host = await serve(t, (request, response) => {
    const place = { location: '/v2/app/blobs/uploads/7?state=x' };
    if (request.method === 'POST') return void response.writeHead(202, place).end();
    if (request.method === 'GET')
      return void response.writeHead(204, { ...place, range: `0-${stored.length - 1}` }).end();
    if (request.method === 'PUT') {
      t.is(request.url, `${place.location}&digest=${encodeURIComponent(BLOB.digest)}`);
      return void response.writeHead(201).end();
    }
    patches += 1;
    const first = patches === 1;
    if (!first) t.is(request.headers['content-range'], `${stored.length}-${DATA.length - 1}`);
    request.on('data', (chunk: Buffer) => {
      stored = Buffer.concat([stored, chunk]);
      if (first && stored.length > 300_000) request.socket.destroy();
    });
    request.on('end', () => response.writeHead(202, place).end());
  });
  let told = 0;
  t.true(
    await (await uploadTo(t, host)).blob(source, undefined, (bytes) => {
      told = bytes;
    }),
  );
  t.is(patches, 2);
  t.true(stored.equals(DATA));
  t.is(told, DATA.length);
});

test('an upload that the registry forgot begins again', async (t) => {
  const places: string[] = [];
  const host = await serve(t, (request, response) => {
    if (request.method === 'POST') {
      places.push(`/v2/app/blobs/uploads/${places.length}`);
      return void response.writeHead(202, { location: places.at(-1) }).end();
    }
    if (request.method === 'GET') return void response.writeHead(404).end();
    if (request.method === 'PUT') return void response.writeHead(201).end();
    if (places.length === 1) return void request.socket.destroy();
    request.resume().on('end', () => response.writeHead(202, { location: request.url }).end());
  });
  t.true(await (await uploadTo(t, host)).blob(source, undefined, () => {}));
  t.is(places.length, 2);
});

test('an upload that has its place elsewhere sees no credentials and no headers of ours', async (t) => {
  const seen: IncomingMessage['headers'][] = [];
  const other = await serve(t, (request, response) => {
    seen.push(request.headers);
    request
      .resume()
      .on('end', () =>
        response.writeHead(request.method === 'PUT' ? 201 : 202, { location: request.url }).end(),
      );
  });
  const host = await serve(t, (request, response) => {
    t.is(request.headers['x-secret'], 'mine');
    response.writeHead(202, { location: `http://${other}/elsewhere` }).end();
  });
  t.true(await (await uploadTo(t, host)).blob(source, undefined, () => {}));
  t.is(seen.length, 2);
  for (const headers of seen)
    t.deepEqual([headers.authorization, headers['x-secret']], [undefined, undefined]);
});

test('refused: a place by another scheme, and a registry that gives none', async (t) => {
  for (const location of ['file:///etc/passwd', undefined]) {
    const host = await serve(t, (_, response) => response.writeHead(202, location ? { location } : {}).end());
    await t.throwsAsync(
      (await uploadTo(t, host)).blob(source, undefined, () => {}),
      { message: /no place for the upload/ },
    );
  }
});
