import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { TsrunError } from '../../src/errors.js';
import { registryHosts } from '../../src/registry/hosts.js';

const dir = mkdtempSync(join(tmpdir(), 'tsrun-certs-'));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));

let folders = 0;
function settings(files: Record<string, string>, name = `host-${++folders}.example`): string {
  mkdirSync(join(dir, name), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, name, file), text);
  return name;
}

test('without settings a registry is asked itself, Docker Hub under its real name', async (t) => {
  const [hub] = await registryHosts(dir, 'docker.io');
  t.is(hub?.url, 'https://registry-1.docker.io/v2');
  const [own] = await registryHosts(dir, 'localhost:5000');
  t.like(own, { url: 'https://localhost:5000/v2', guessScheme: true, namespace: undefined });
});

test('mirrors in order, then the server', async (t) => {
  const name = settings({
    'hosts.toml': `
server = "https://origin.example"
[host."https://one.example:5000"]
  capabilities = ["pull", "resolve"]
  ca = "one.pem"
  [host."https://one.example:5000".header]
    X-Team = ["a", "b"]
[host."http://127.0.0.1:5001/prefix/v2"]
  override_path = true
  skip_verify = true
  client = [["c.pem", "/k.pem"]]
[host."bare.example"]
`,
  });
  const hosts = await registryHosts(dir, name);
  t.deepEqual(
    hosts.map(({ url, namespace, guessScheme }) => [url, namespace, guessScheme]),
    [
      ['https://one.example:5000/v2', name, false],
      ['http://127.0.0.1:5001/prefix/v2', name, false],
      ['https://bare.example/v2', name, true],
      ['https://origin.example/v2', undefined, false],
    ],
  );
  t.deepEqual(hosts[0]?.tls.ca, [join(dir, name, 'one.pem')]);
  t.deepEqual(hosts[0]?.headers, { 'x-team': 'a, b' });
  t.deepEqual(hosts[0]?.capabilities, ['pull', 'resolve']);
  t.deepEqual(hosts[1]?.tls.client, [{ cert: join(dir, name, 'c.pem'), key: '/k.pem' }]);
  t.true(hosts[1]?.tls.skipVerify);
});

test('the port may be written with underscores; _default serves all others', async (t) => {
  settings({ 'hosts.toml': '[host."https://m.example"]' }, 'reg.example_5000_');
  t.is((await registryHosts(dir, 'reg.example:5000')).length, 2);
  const other = mkdtempSync(join(tmpdir(), 'tsrun-certs-'));
  t.teardown(() => rmSync(other, { recursive: true, force: true }));
  mkdirSync(join(other, '_default'));
  writeFileSync(join(other, '_default', 'hosts.toml'), '[host."https://m.example"]');
  t.is((await registryHosts(other, 'any.example')).length, 2);
});

test("certificates in Docker's form", async (t) => {
  const name = settings({ 'ca.crt': '', 'client.cert': '', 'client.key': '' });
  const [host] = await registryHosts(dir, name);
  t.deepEqual(host?.tls.ca, [join(dir, name, 'ca.crt')]);
  t.deepEqual(host?.tls.client, [
    { cert: join(dir, name, 'client.cert'), key: join(dir, name, 'client.key') },
  ]);
});

const broken: [text: string, says: RegExp][] = [
  ['server = [', /hosts\.toml: /],
  ['server = 5', /server is not a string/],
  ['[host."https://m"]\n skip_verfy = true', /unknown key "skip_verfy"/],
  ['[host."https://m"]\n skip_verify = "yes"', /skip_verify is not true or false/],
  ['[host."https://m"]\n capabilities = ["fly"]', /unknown capability "fly"/],
  ['[host."ftp://m"]', /only http and https/],
  ['[host."https://u:p@m"]', /credentials belong/],
];

for (const [text, says] of broken)
  test(`refused: ${text}`, async (t) => {
    const error = await t.throwsAsync<TsrunError>(registryHosts(dir, settings({ 'hosts.toml': text })));
    t.is(error?.code, 'FORMAT');
    t.regex(error?.message ?? '', says);
  });
