/** What a transport promises beyond plain requests: TLS with CAs of one's own, proxies, and patience with its own reader. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import type { TsrunError } from '../../src/errors.js';
import { NO_TLS_SETTINGS, Transport, type TransportOptions } from '../../src/registry/transport.js';
import { fakeServer } from '../helpers/fake-registry.js';

const dir = mkdtempSync(join(tmpdir(), 'tsrun-transport-'));
const cert = join(dir, 'cert.pem');
const key = join(dir, 'key.pem');

test.before(() => {
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', '/CN=reg.test', '-addext', 'subjectAltName=DNS:reg.test,IP:127.0.0.1'],
      ...['-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  );
});
test.after.always(() => rmSync(dir, { recursive: true, force: true }));

function transport(t: ExecutionContext, options: Partial<TransportOptions> = {}): Transport {
  const made = new Transport({ env: {}, ...options });
  t.teardown(() => made.close());
  return made;
}

async function get(from: Transport, url: string, ca: string[] = []): Promise<string> {
  const request = { method: 'GET', headers: {}, tls: { ...NO_TLS_SETTINGS, ca } } as const;
  return await text((await from.send({ ...request, url: new URL(url) })).body);
}

async function secureServer(t: ExecutionContext): Promise<number> {
  const server = createSecureServer({ cert: readFileSync(cert), key: readFileSync(key) }, (_, answer) =>
    answer.end('secret'),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface Proxied {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
}

/** A proxy that knows of one server only, at a port of the loopback address, whatever name it is asked for. */
async function proxy(t: ExecutionContext, port: number, status = 200) {
  const asked: Proxied[] = [];
  const server = createServer((incoming, answer) => {
    const { method = '', url = '', headers } = incoming;
    asked.push({ method, url, headers });
    incoming.pipe(
      request({ host: '127.0.0.1', port, method, path: new URL(url).pathname }, (from) => from.pipe(answer)),
    );
  });
  server.on('connect', ({ method = '', url = '', headers }, client) => {
    asked.push({ method, url, headers });
    if (status !== 200) return client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
    t.teardown(() => upstream.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, url: `http://me:p%40ss@127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const BASIC = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;

test('a certificate counts if its CA was given for this host, and only then', async (t) => {
  const url = `https://127.0.0.1:${await secureServer(t)}/`;
  t.is(await get(transport(t), url, [cert]), 'secret');
  t.is(await get(transport(t, { extraCaFile: cert }), url), 'secret');
  const error = await t.throwsAsync<TsrunError>(get(transport(t), url));
  t.regex(error.message, /self-signed certificate/);
});

test('https goes through the proxy in a tunnel, with TLS to the server itself', async (t) => {
  const { asked, url } = await proxy(t, await secureServer(t));
  const through = transport(t, { env: { HTTPS_PROXY: url } });
  t.is(await get(through, 'https://reg.test/v2/', [cert]), 'secret');
  t.is(await get(through, 'https://reg.test/v2/', [cert]), 'secret');
  t.deepEqual(
    asked.map(({ method, url: to, headers }) => [method, to, headers['proxy-authorization']]),
    [['CONNECT', 'reg.test:443', BASIC]],
    'one tunnel for both',
  );
  const error = await t.throwsAsync<TsrunError>(get(through, 'https://other.test/', [cert]));
  t.regex(error.message, /does not match certificate's altnames/);
});

test('a proxy that refuses is named', async (t) => {
  const { url } = await proxy(t, 1, 407);
  const error = await t.throwsAsync<TsrunError>(
    get(transport(t, { env: { HTTPS_PROXY: url } }), 'https://reg.test/', [cert]),
  );
  t.regex(error.message, /the proxy 127\.0\.0\.1:\d+ answered 407/);
});

test('plain http is asked of the proxy with its whole URL', async (t) => {
  const server = await fakeServer(({ url }, answer) => answer.end(`answer to ${url}`));
  t.teardown(() => server.stop());
  const { asked, url } = await proxy(t, Number(server.host.split(':')[1]));
  t.is(await get(transport(t, { env: { HTTP_PROXY: url } }), 'http://reg.test/v2/x'), 'answer to /v2/x');
  t.is(asked[0]?.url, 'http://reg.test/v2/x');
  t.is(asked[0]?.headers.host, 'reg.test');
  t.is(asked[0]?.headers['proxy-authorization'], BASIC);
  t.is(server.asked[0]?.headers['proxy-authorization'], undefined);
});

test('a reader that takes its time is not the fault of the server; a silent server is', async (t) => {
  const big = Buffer.alloc(8 << 20, 'x');
  const server = await fakeServer(({ url }, answer) => {
    if (url === '/big') answer.end(big);
    if (url === '/half') answer.writeHead(200, { 'content-length': '10' }).write('half');
  });
  t.teardown(() => server.stop());
  const impatient = transport(t, { idleMs: 150 });
  const request = { method: 'GET', headers: {}, tls: NO_TLS_SETTINGS } as const;
  const slow = await impatient.send({ ...request, url: new URL(`http://${server.host}/big`) });
  await once(slow.body, 'readable');
  // Three servers that fall silent, one after the other, are our clock.
  for (const path of ['/silent', '/half', '/silent']) {
    const error = await t.throwsAsync<TsrunError>(get(impatient, `http://${server.host}${path}`));
    t.is(error.errno ?? (error as { code?: string }).code, 'ETIMEDOUT');
  }
  t.is((await text(slow.body)).length, big.length);
});

test('an aborted request ends at once with the reason', async (t) => {
  const server = await fakeServer((_, answer) => answer.writeHead(200).write('some'));
  t.teardown(() => server.stop());
  const stop = new AbortController();
  const { body } = await transport(t).send({
    method: 'GET',
    url: new URL(`http://${server.host}/`),
    headers: {},
    tls: NO_TLS_SETTINGS,
    signal: stop.signal,
  });
  stop.abort(new Error('enough'));
  await t.throwsAsync(text(body), { message: 'enough' });
});
