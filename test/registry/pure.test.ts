import test from 'ava';
import { reachOf } from '../../src/registry/addresses.js';
import { mayHaveCredentials, parseChallenges } from '../../src/registry/challenge.js';
import { amd64LevelOf, chooseManifest } from '../../src/registry/choose.js';
import { proxyFor } from '../../src/registry/proxy.js';
import { parseDigest } from '../../src/types/ids.js';
import type { Index, Platform } from '../../src/types/oci.js';

function index(...platforms: string[]): Index {
  return {
    schemaVersion: 2,
    manifests: platforms.map((text, i) => {
      const [os = '', architecture = '', variant] = text.split('/');
      return {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: parseDigest(`sha256:${String(i).padStart(64, '0')}`),
        size: 1,
        platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
      };
    }),
  };
}

const choices: [wanted: string, offered: string[], chosen: number | undefined, level?: number][] = [
  ['linux/amd64', ['linux/arm64', 'linux/amd64'], 1],
  ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 1, 3],
  ['linux/amd64', ['linux/amd64/v2', 'linux/amd64/v3'], 1, 3],
  ['linux/amd64', ['linux/amd64/v2', 'linux/amd64/v3'], 0, 2],
  ['linux/amd64', ['linux/amd64/v3'], undefined, 2],
  ['linux/arm64', ['linux/arm64/v8'], 0],
  ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6'], 1],
  ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v5'], 1],
  ['linux/arm64', ['linux/amd64', 'unknown/unknown'], undefined],
  ['linux/amd64', ['windows/amd64'], undefined],
];

for (const [wanted, offered, chosen, level = 1] of choices) {
  test(`${wanted} of ${offered.join(', ')} on a level ${level} machine`, (t) => {
    const [os = '', architecture = '', variant] = wanted.split('/');
    const platform: Platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
    const choose = () => chooseManifest(index(...offered), platform, () => level);
    if (chosen === undefined) t.throws(choose, { message: /^no matching manifest for / });
    else t.is(Number(choose().digest.slice(7)), chosen);
  });
}

test('attestations are no images', (t) => {
  const list = index('linux/amd64', 'linux/amd64');
  const [first] = list.manifests;
  if (first) first.annotations = { 'vnd.docker.reference.type': 'attestation-manifest' };
  t.is(Number(chooseManifest(list, { os: 'linux', architecture: 'amd64' }, () => 1).digest.slice(7)), 1);
});

test('the feature level of a CPU', (t) => {
  t.is(amd64LevelOf('flags\t\t: fpu sse2'), 1);
  t.is(amd64LevelOf('flags : cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3'), 2);
  t.is(
    amd64LevelOf(
      'flags : cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma abm movbe xsave',
    ),
    3,
  );
});

test('challenges: several in one header, quoted and not', (t) => {
  t.deepEqual(
    parseChallenges('Bearer realm="https://a/t",service=b,scope="x:y:pull,push", Basic realm="q\\"q"'),
    [
      { scheme: 'bearer', params: { realm: 'https://a/t', service: 'b', scope: 'x:y:pull,push' } },
      { scheme: 'basic', params: { realm: 'q"q' } },
    ],
  );
  t.deepEqual(parseChallenges(['Basic', 'Bearer realm="r"']), [
    { scheme: 'basic', params: {} },
    { scheme: 'bearer', params: { realm: 'r' } },
  ]);
  t.deepEqual(parseChallenges(undefined), []);
});

const pairs: [registry: string, realm: string, allowed: boolean][] = [
  ['https://registry-1.docker.io', 'https://auth.docker.io/token', true],
  ['https://registry-1.docker.io', 'https://auth.docker.io.evil.example/token', false],
  ['https://quay.io', 'https://quay.io/v2/auth', true],
  ['https://registry.gitlab.com', 'https://gitlab.com/jwt/auth', true],
  ['https://evil.example', 'https://auth.docker.io/token', false],
  ['https://a.example', 'https://b.example/token', false],
  ['https://a.example', 'https://example/token', false],
  ['https://a.example', 'http://a.example/token', false],
  ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/token', true],
  ['http://127.0.0.1:5000', 'http://127.0.0.2:5000/token', false],
  ['https://xgitlab.com', 'https://gitlab.com/jwt', false],
];

for (const [registry, realm, allowed] of pairs)
  test(`credentials of ${registry} ${allowed ? 'go' : 'do not go'} to ${realm}`, (t) =>
    t.is(mayHaveCredentials(new URL(registry), new URL(realm)), allowed));

test('addresses by reach', (t) => {
  const reach = (addresses: string[]) => addresses.map(reachOf);
  t.deepEqual(reach(['8.8.8.8', '2001:4860::1', '11.0.0.1']), ['public', 'public', 'public']);
  t.deepEqual(reach(['10.1.2.3', '172.31.0.1', '192.168.1.1', 'fd00::1', '100.64.0.1']), [
    'private',
    'private',
    'private',
    'private',
    'private',
  ]);
  t.deepEqual(reach(['127.0.0.1', '::1', '127.9.9.9', '::ffff:127.0.0.1', '[::ffff:7f00:1]']), [
    'loopback',
    'loopback',
    'loopback',
    'loopback',
    'loopback',
  ]);
  t.deepEqual(reach(['169.254.169.254', '0.0.0.0', '::', 'fe80::1%eth0', '::ffff:169.254.169.254']), [
    'never',
    'never',
    'never',
    'never',
    'never',
  ]);
});

test('proxies from the environment', (t) => {
  const env = {
    HTTPS_PROXY: 'http://p:3128',
    HTTP_PROXY: 'q:80',
    NO_PROXY: '.corp,exact.org,10.0.0.0/8,h:8443',
  };
  const via = (url: string) => proxyFor(new URL(url), env)?.host;
  t.is(via('https://docker.io/'), 'p:3128');
  t.is(via('http://docker.io/'), 'q');
  t.is(via('https://localhost:5000/'), undefined);
  t.is(via('https://[::1]:5000/'), undefined);
  t.is(via('https://a.corp/'), undefined);
  t.is(via('https://corp/'), 'p:3128');
  t.is(via('https://sub.exact.org/'), undefined);
  t.is(via('https://inexact.org/'), 'p:3128');
  t.is(via('https://10.9.9.9/'), undefined);
  t.is(via('https://h:8443/'), undefined);
  t.is(via('https://h/'), 'p:3128');
  t.is(proxyFor(new URL('https://x/'), { ...env, NO_PROXY: '*' }), undefined);
  t.is(proxyFor(new URL('https://x/'), {}), undefined);
});
