import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parseReference } from '../../src/intent/reference.js';
import { RegistryClient } from '../../src/registry/client.js';
import { findCredentials } from '../../src/registry/credentials.js';
import {
  credentialsInFile,
  HUB_KEY,
  helperOf,
  keysOf,
  loginServer,
  withCredentials,
  withoutCredentials,
} from '../../src/registry/docker-config.js';
import { verifyCredentials } from '../../src/registry/login.js';
import { type Answer, type FakeServer, fakeServer } from '../helpers/fake-registry.js';

const dir = mkdtempSync(join(tmpdir(), 'tsrun-registry-login-'));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));

const ME = { kind: 'basic', username: 'me', password: 'se:cret' } as const;
const BASIC = `Basic ${Buffer.from('me:se:cret').toString('base64')}`;
const options = { certsDir: join(dir, 'none'), env: {}, retryMs: 1 };

async function server(t: ExecutionContext, answer: Answer, address?: string): Promise<FakeServer> {
  const made = await fakeServer(answer, address);
  t.teardown(() => made.stop());
  return made;
}

test('registries by the names that people give them', (t) => {
  const hub = { domain: 'docker.io', key: HUB_KEY };
  for (const name of [
    undefined,
    '',
    'docker.io',
    'index.docker.io',
    HUB_KEY,
    'https://registry-1.docker.io/v2/',
  ])
    t.deepEqual(loginServer(name), hub, name);
  for (const name of ['reg.example:5000', 'https://reg.example:5000', 'http://reg.example:5000/v2/'])
    t.deepEqual(loginServer(name), { domain: 'reg.example:5000', key: 'reg.example:5000' }, name);
  for (const name of ['bad host', '-x', 'ftp://x', 'a:b:c'])
    t.throws(() => loginServer(name), { code: 'USAGE' });
});

test('config.json: what is added and taken away, and what stays', (t) => {
  const before = {
    credHelpers: { x: 'y' },
    other: [1],
    auths: { 'https://old.example/v1/': { auth: 'eDp5' } },
  };
  const after = withCredentials(before, 'reg.example', ME);
  t.deepEqual(after, {
    ...before,
    auths: { ...before.auths, 'reg.example': { auth: Buffer.from('me:se:cret').toString('base64') } },
  });
  t.deepEqual(credentialsInFile(after, ['reg.example'], 'f'), ME);
  t.deepEqual(withoutCredentials(after, ['reg.example']), before);
  t.is(withoutCredentials(before, ['reg.example']), before);
  t.deepEqual(withoutCredentials(before, ['old.example']).auths, {}, 'also under an older name');
  const token = withCredentials({}, 'r', { kind: 'identity', token: 't', username: 'me' });
  t.deepEqual(token, { auths: { r: { auth: 'bWU6', identitytoken: 't' } } });
  t.deepEqual(credentialsInFile(token, ['r'], 'f'), { kind: 'identity', token: 't', username: 'me' });
  t.deepEqual(withCredentials({ credsStore: 's' }, 'r', undefined), { credsStore: 's', auths: { r: {} } });
});

test('the name itself counts before its aliases, and what is empty is passed over', (t) => {
  const auth = (text: string) => ({ auth: Buffer.from(`u:${text}`).toString('base64') });
  const config = { auths: { 'https://r/v2/': auth('old'), r: auth('new'), 'http://r': {} } };
  t.like(credentialsInFile(config, ['r'], 'f'), { password: 'new' });
  t.like(credentialsInFile({ auths: { r: {}, 'https://r': auth('other') } }, ['r'], 'f'), {
    password: 'other',
  });
  t.like(credentialsInFile({ auths: { 'docker.io': auth('hub') } }, keysOf('registry-1.docker.io'), 'f'), {
    password: 'hub',
  });
  t.is(helperOf({ credsStore: 'all', credHelpers: { r: 'one' } }, 'r'), 'one');
  t.is(helperOf({ credsStore: 'all', credHelpers: { r: 'one' } }, 's'), 'all');
  t.is(helperOf({}, 's'), undefined);
});

test('basic: shown to the registry and to nobody before it asked', async (t) => {
  const { host, asked } = await server(t, ({ headers }, response) => {
    if (headers.authorization === BASIC) response.end('{}');
    else response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
  });
  t.deepEqual(await verifyCredentials(host, ME, options), ME);
  t.deepEqual(
    asked.map(({ url, headers }) => [url, headers.authorization]),
    [
      ['/v2/', undefined],
      ['/v2/', BASIC],
    ],
  );
  await t.throwsAsync(verifyCredentials(host, { ...ME, password: 'x' }, options), {
    code: 'REGISTRY_DENIED',
    message: `login attempt to http://${host}/v2/ failed with status: 401 Unauthorized`,
  });
});

test('bearer: an identity token takes the place of the password, and is what a pull shows', async (t) => {
  const { host, asked } = await server(t, (request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    if (pathname === '/token') {
      const refreshed = request.method === 'POST';
      return response.end(
        JSON.stringify({ token: refreshed ? 'pulled' : 'shown', refresh_token: 'identity' }),
      );
    }
    if (request.headers.authorization?.startsWith('Bearer ')) return response.end('{"tags":["1"]}');
    const realm = `Bearer realm="http://${request.headers.host}/token",service="s"`;
    response.writeHead(401, { 'www-authenticate': realm }).end();
  });
  const kept = await verifyCredentials(host, ME, options);
  t.deepEqual(kept, { kind: 'identity', token: 'identity', username: 'me' });
  const asking = asked.find(({ url }) => url.startsWith('/token'));
  t.is(asking?.headers.authorization, BASIC);
  t.deepEqual(Object.fromEntries(new URL(asking?.url ?? '', 'http://x').searchParams), {
    service: 's',
    account: 'me',
    client_id: 'tsrun',
    offline_token: 'true',
  });

  const home = join(dir, 'identity');
  mkdirSync(home);
  writeFileSync(join(home, 'config.json'), JSON.stringify(withCredentials({}, host, kept)));
  const client = await RegistryClient.open(parseReference(`${host}/app`), {
    ...options,
    env: { DOCKER_CONFIG: home },
  });
  t.teardown(() => client.close());
  t.deepEqual(await client.tags(), ['1']);
  const posted = asked.findLast(({ method }) => method === 'POST');
  t.is(new URLSearchParams(posted?.body).get('refresh_token'), 'identity');
  t.is(asked.at(-1)?.headers.authorization, 'Bearer pulled');
});

test('a token server of another host is not shown the password', async (t) => {
  const other = await server(t, (_, response) => response.end('{"token":"x"}'), '127.0.0.2');
  const { host } = await server(t, ({ headers }, response) => {
    if (headers.authorization) return response.end();
    response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${other.host}/token"` }).end();
  });
  await t.throwsAsync(verifyCredentials(host, ME, options), { code: 'REGISTRY_DENIED' });
  t.is(other.asked.length, 0);
});

test('what is stored for a registry is used where hosts.toml says that it lies', async (t) => {
  const { host } = await server(t, ({ headers }, response) => {
    if (headers.authorization === BASIC) response.end('{"tags":["1"]}');
    else response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
  });
  const certsDir = join(dir, 'moved');
  mkdirSync(join(certsDir, 'reg.example'), { recursive: true });
  writeFileSync(join(certsDir, 'reg.example', 'hosts.toml'), `server = "http://${host}"\n`);
  const home = join(dir, 'moved-home');
  mkdirSync(home);
  writeFileSync(join(home, 'config.json'), JSON.stringify(withCredentials({}, 'reg.example', ME)));
  const env = { DOCKER_CONFIG: home };
  t.deepEqual(await findCredentials('reg.example', env), ME);
  const client = await RegistryClient.open(parseReference('reg.example/app'), { ...options, certsDir, env });
  t.teardown(() => client.close());
  t.deepEqual(await client.tags(), ['1']);
});

test('tags: page by page, from one server, and with an end', async (t) => {
  const pages = (next: (page: number) => string | undefined) =>
    server(t, ({ url }, response) => {
      const page = Number(new URL(url, 'http://x').searchParams.get('page') ?? 0);
      const link = next(page);
      response.writeHead(200, link === undefined ? {} : { link: `<${link}>; rel="next"` });
      response.end(JSON.stringify({ tags: [`t${Math.min(page, 3)}`, 'bad tag', 7] }));
    });
  const tagsAt = async ({ host }: FakeServer) => {
    const client = await RegistryClient.open(parseReference(`${host}/app`), options);
    t.teardown(() => client.close());
    return client.tags();
  };
  const two = await pages((page) => (page < 2 ? `/v2/app/tags/list?page=${page + 1}` : undefined));
  t.deepEqual(await tagsAt(two), ['t0', 't1', 't2']);
  const endless = await pages((page) => `/v2/app/tags/list?page=${page + 1}`);
  await t.throwsAsync(tagsAt(endless), { message: /does not end/ });
  const away = await pages(() => 'http://127.0.0.9:1/v2/app/tags/list');
  await t.throwsAsync(tagsAt(away), { message: /goes on at .*: refused/ });
});
