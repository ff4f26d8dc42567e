import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { TsrunError } from '../../src/errors.js';
import { parseReference } from '../../src/intent/reference.js';
import { type BlobSink, type ClientOptions, RegistryClient } from '../../src/registry/client.js';
import { digestOf } from '../../src/store/blobs.js';
import { type Answer, type FakeServer, fakeServer } from '../helpers/fake-registry.js';

const dir = mkdtempSync(join(tmpdir(), 'tsrun-client-'));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));

class Sink implements BlobSink {
  bytes = Buffer.alloc(0);
  constructor(private readonly wanted: string) {}
  get offset() {
    return this.bytes.length;
  }
  async write(chunk: Buffer) {
    this.bytes = Buffer.concat([this.bytes, chunk]);
  }
  async restart() {
    this.bytes = Buffer.alloc(0);
  }
  matches() {
    return digestOf(this.bytes) === this.wanted;
  }
}

const DATA = Buffer.from('0123456789'.repeat(5000));
const BLOB = { mediaType: 'application/octet-stream', digest: digestOf(DATA), size: DATA.length };
const MANIFEST = Buffer.from('{"schemaVersion":2}');

async function server(t: ExecutionContext, answer: Answer, address?: string): Promise<FakeServer> {
  const made = await fakeServer(answer, address);
  t.teardown(() => made.stop());
  return made;
}

let folders = 0;

/** A client for repository "app" of `hosts`: mirrors first, the registry last; all by plain http. */
async function client(t: ExecutionContext, hosts: string[], options: Partial<ClientOptions> = {}) {
  const certsDir = join(dir, `certs-${++folders}`);
  mkdirSync(join(certsDir, 'reg.example'), { recursive: true });
  const mirrors = hosts.slice(0, -1).map((host) => `[host."http://${host}"]\n`);
  writeFileSync(
    join(certsDir, 'reg.example', 'hosts.toml'),
    `server = "http://${hosts.at(-1)}"\n${mirrors.join('')}`,
  );
  const opened = await RegistryClient.open(parseReference('reg.example/app'), {
    certsDir,
    env: {},
    retryMs: 1,
    ...options,
  });
  t.teardown(() => opened.close());
  return opened;
}

function dockerConfig(config: object): { DOCKER_CONFIG: string; PATH: string } {
  const folder = join(dir, `config-${++folders}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env.PATH}` };
}

const login = (host: string) => ({
  auths: { [host]: { auth: Buffer.from('me:secret').toString('base64') } },
});

const blobAnswer: Answer = (_, response) => response.end(DATA);

test('a blob comes whole', async (t) => {
  const { host, asked } = await server(t, blobAnswer);
  const sink = new Sink(BLOB.digest);
  await (await client(t, [host])).blob(BLOB, sink);
  t.deepEqual(sink.bytes, DATA);
  t.is(asked[0]?.url, `/v2/app/blobs/${BLOB.digest}`);
});

test('a connection that breaks goes on where it stopped', async (t) => {
  const { host, asked } = await server(t, ({ headers }, response) => {
    if (headers.range === undefined) {
      response.writeHead(200, { 'content-length': DATA.length });
      response.write(DATA.subarray(0, 20_000), () => response.destroy());
      return;
    }
    const start = Number(/^bytes=(\d+)-$/.exec(headers.range)?.[1]);
    response.writeHead(206, { 'content-range': `bytes ${start}-${DATA.length - 1}/${DATA.length}` });
    response.end(DATA.subarray(start));
  });
  const sink = new Sink(BLOB.digest);
  await (await client(t, [host])).blob(BLOB, sink);
  t.deepEqual(sink.bytes, DATA);
  t.regex(asked[1]?.headers.range ?? '', /^bytes=\d+-$/);
});

test('200 instead of 206 starts anew; another range than asked for is refused', async (t) => {
  const half = async (status: number, headers: Record<string, string>, body: Buffer) => {
    const { host } = await server(t, (_, response) => {
      response.writeHead(status, headers);
      response.end(body);
    });
    const sink = new Sink(BLOB.digest);
    await sink.write(DATA.subarray(0, 100));
    await (await client(t, [host])).blob(BLOB, sink);
    return sink.bytes;
  };
  t.deepEqual(await half(200, {}, DATA), DATA);
  const error = await t.throwsAsync<TsrunError>(
    half(206, { 'content-range': `bytes 50-${DATA.length - 1}/${DATA.length}` }, DATA.subarray(50)),
  );
  t.is(error?.code, 'CONTENT');
});

test('wrong bytes and too many bytes are refused', async (t) => {
  const wrong = await server(t, (_, response) => response.end(Buffer.alloc(DATA.length)));
  const first = await t.throwsAsync<TsrunError>(
    (await client(t, [wrong.host])).blob(BLOB, new Sink(BLOB.digest)),
  );
  t.is(first?.message, `filesystem layer verification failed for digest ${BLOB.digest}`);
  const endless = await server(t, (_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(DATA));
    };
    response.on('drain', more);
    more();
  });
  const sink = new Sink(BLOB.digest);
  const second = await t.throwsAsync<TsrunError>((await client(t, [endless.host])).blob(BLOB, sink));
  t.is(second?.code, 'CONTENT');
  t.is(sink.offset, 0);
});

test('a manifest has a limit, a digest that is checked, and one that the header must agree with', async (t) => {
  const large = await server(t, (_, response) => response.end(Buffer.alloc(5 * 1024 * 1024, 32)));
  await t.throwsAsync((await client(t, [large.host])).manifest('1'), { message: /longer than/ });
  const { host } = await server(t, ({ url }, response) => {
    if (url.endsWith('/lie')) response.setHeader('docker-content-digest', BLOB.digest);
    response.end(MANIFEST);
  });
  const registry = await client(t, [host]);
  t.is((await registry.manifest('1')).digest, digestOf(MANIFEST));
  t.is((await registry.manifest(digestOf(MANIFEST))).digest, digestOf(MANIFEST));
  for (const which of ['lie', BLOB.digest]) {
    const error = await t.throwsAsync<TsrunError>(registry.manifest(which));
    t.is(error?.code, 'CONTENT');
  }
});

test('a busy registry is asked five times, a missing image once', async (t) => {
  let busy = 0;
  const { host } = await server(t, ({ url }, response) => {
    if (url.endsWith('/busy')) {
      busy += 1;
      response.writeHead(busy < 5 ? ([429, 503, 500, 408][busy - 1] ?? 500) : 200, { 'retry-after': '0' });
      return response.end(busy < 5 ? '' : MANIFEST);
    }
    response.writeHead(404, { 'content-type': 'application/json' });
    return response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest\\u001b[31m unknown"}]}');
  });
  const registry = await client(t, [host]);
  await registry.manifest('busy');
  t.is(busy, 5);
  const error = await t.throwsAsync<TsrunError>(registry.manifest('none'));
  t.is(
    error?.message,
    'manifest for reg.example/app:none not found: manifest unknown: manifest [31m unknown',
  );
});

test('a mirror that fails is passed over; it is told whose content is meant', async (t) => {
  const absent = await server(t, (_, response) => response.writeHead(404).end());
  const liar = await server(t, (_, response) => response.end(Buffer.alloc(DATA.length)));
  const origin = await server(t, blobAnswer);
  const sink = new Sink(BLOB.digest);
  await (await client(t, [absent.host, liar.host, origin.host])).blob(BLOB, sink);
  t.deepEqual(sink.bytes, DATA);
  t.is(absent.asked[0]?.url, `/v2/app/blobs/${BLOB.digest}?ns=reg.example`);
});

test('anonymous token, refreshed when it is refused', async (t) => {
  let issued = 0;
  const { host, asked } = await server(t, ({ url, headers }, response) => {
    if (url.startsWith('/token'))
      return response.end(JSON.stringify({ token: `t${++issued}`, expires_in: 300 }));
    if (headers.authorization === `Bearer t${issued}` && !(url.endsWith('/second') && issued === 1))
      return response.end(MANIFEST);
    const challenge = `Bearer realm="http://${host}/token",service="s",scope="repository:app:pull"`;
    return response.writeHead(401, { 'www-authenticate': challenge }).end();
  });
  const registry = await client(t, [host]);
  await registry.manifest('first');
  await registry.manifest('first');
  t.is(issued, 1);
  await registry.manifest('second');
  t.is(issued, 2);
  t.is(
    asked.find(({ url }) => url.startsWith('/token'))?.url,
    '/token?service=s&scope=repository%3Aapp%3Apull',
  );
});

test('stored credentials: to the token server of the same host, or directly', async (t) => {
  for (const scheme of ['bearer', 'basic']) {
    const { host, asked } = await server(t, ({ url, headers }, response) => {
      if (url.startsWith('/token')) return response.end(JSON.stringify({ access_token: 'good' }));
      if (headers.authorization === (scheme === 'bearer' ? 'Bearer good' : basic))
        return response.end(MANIFEST);
      const challenge = scheme === 'bearer' ? `Bearer realm="http://${host}/token"` : 'Basic realm="x"';
      return response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    const registry = await client(t, [host], { env: dockerConfig(login(host)) });
    await registry.manifest('1');
    t.is(asked[0]?.headers.authorization, undefined, 'nothing is sent before it is asked for');
    t.is(asked[1]?.headers.authorization, basic);
  }
});

test('an identity token is exchanged in a body, never in a query', async (t) => {
  const { host, asked } = await server(t, ({ url, headers }, response) => {
    if (url.startsWith('/token')) return response.end(JSON.stringify({ access_token: 'good' }));
    if (headers.authorization === 'Bearer good') return response.end(MANIFEST);
    return response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token"` }).end();
  });
  const env = dockerConfig({ auths: { [`https://${host}/v2/`]: { identitytoken: 'refresh-me' } } });
  await (await client(t, [host], { env })).manifest('1');
  const exchange = asked.find(({ method }) => method === 'POST');
  t.is(exchange?.url, '/token');
  t.is(new URLSearchParams(exchange?.body).get('refresh_token'), 'refresh-me');
  t.false(asked.some(({ url }) => url.includes('refresh-me')));
});

test('a token server on another host sees no credentials; more private addresses are not even asked', async (t) => {
  const other = await server(t, (_, response) => response.end('{"token":"x"}'), '127.0.0.2');
  const realms = [
    `http://${other.host}/t`,
    'http://169.254.169.254/t',
    'http://[fe80::1]/t',
    'http://0.0.0.0/t',
  ];
  const bad = ['', 'file:///etc/passwd', 'ftp://x/', `http://u:p@${other.host}/`, 'nonsense'];
  for (const realm of [...realms, ...bad]) {
    const { host } = await server(t, (_, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end(),
    );
    const registry = await client(t, [host], { env: dockerConfig(login(host)) });
    await t.throwsAsync(registry.manifest('1'), undefined, realm);
  }
  t.is(other.asked.length, 1);
  t.is(other.asked[0]?.headers.authorization, undefined);
});

test('a redirect to another origin loses the credentials, and there are five of them at most', async (t) => {
  const store = await server(t, blobAnswer);
  const { host } = await server(t, ({ url, headers }, response) => {
    if (url.includes('loop')) return response.writeHead(307, { location: url }).end();
    if (headers.authorization === undefined)
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    return response.writeHead(307, { location: `http://${store.host}/signed` }).end();
  });
  const registry = await client(t, [host], { env: dockerConfig(login(host)) });
  await registry.blob(BLOB, new Sink(BLOB.digest));
  t.deepEqual(
    store.asked.map(({ headers }) => headers.authorization),
    [undefined],
  );
  await t.throwsAsync(registry.manifest('loop'), { message: /more than 5 redirects/ });
});

test("a denied repository is said in Docker's words", async (t) => {
  const { host } = await server(t, (_, response) =>
    response
      .writeHead(403)
      .end('{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}'),
  );
  const error = await t.throwsAsync<TsrunError>((await client(t, [host])).manifest('1'));
  t.is(
    error?.message,
    "pull access denied for reg.example/app, repository does not exist or may require 'docker login': " +
      'denied: requested access to the resource is denied',
  );
  t.is(error?.code, 'REGISTRY_DENIED');
});

test('a server that falls silent is given up', async (t) => {
  const { host, asked } = await server(t, (_, response) => {
    response.writeHead(200, { 'content-length': DATA.length });
    response.write(DATA.subarray(0, 10));
  });
  const registry = await client(t, [host], { idleMs: 50 });
  const error = await t.throwsAsync<TsrunError>(registry.blob(BLOB, new Sink(BLOB.digest)));
  t.is(error?.code, 'REGISTRY');
  t.is(asked.length, 5);
});

test('a credential helper is asked for the host that wants to know', async (t) => {
  const { host, asked } = await server(t, ({ headers }, response) =>
    headers.authorization === undefined
      ? response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      : response.end(MANIFEST),
  );
  const env = dockerConfig({ credHelpers: { [host]: 'fixed' } });
  writeFileSync(
    join(env.DOCKER_CONFIG, 'docker-credential-fixed'),
    '#!/bin/sh\nread -r server\nprintf \'{"Username":"%s","Secret":"s"}\' "$server"\n',
    { mode: 0o755 },
  );
  await (await client(t, [host], { env })).manifest('1');
  t.is(asked[1]?.headers.authorization, `Basic ${Buffer.from(`${host}:s`).toString('base64')}`);
});

test('loopback registries are found by https or http without being told', async (t) => {
  const { host, asked } = await server(t, (_, response) => response.end(MANIFEST));
  const registry = await RegistryClient.open(parseReference(`${host}/app`), {
    certsDir: dir,
    env: {},
    retryMs: 1,
  });
  t.teardown(() => registry.close());
  await registry.manifest('1');
  t.is(asked.length, 1);
});
