import test from 'ava';
import { canonical, familiar, parseReference, withDefaultTag } from '../../src/intent/reference.js';
import { refused } from '../helpers/refused.js';

const HEX = 'a'.repeat(64);
const DIGEST = `sha256:${HEX}`;

const table: [text: string, canonical: string, familiar: string][] = [
  ['redis', 'docker.io/library/redis:latest', 'redis:latest'],
  ['redis:7', 'docker.io/library/redis:7', 'redis:7'],
  ['library/redis', 'docker.io/library/redis:latest', 'redis:latest'],
  ['index.docker.io/redis', 'docker.io/library/redis:latest', 'redis:latest'],
  ['docker.io/me/app', 'docker.io/me/app:latest', 'me/app:latest'],
  ['me/app:1.0-rc_2', 'docker.io/me/app:1.0-rc_2', 'me/app:1.0-rc_2'],
  ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
  ['localhost:5000/a/b/c:x', 'localhost:5000/a/b/c:x', 'localhost:5000/a/b/c:x'],
  ['127.0.0.1:5000/app', '127.0.0.1:5000/app:latest', '127.0.0.1:5000/app:latest'],
  ['[::1]:5000/app', '[::1]:5000/app:latest', '[::1]:5000/app:latest'],
  ['ghcr.io/o/p', 'ghcr.io/o/p:latest', 'ghcr.io/o/p:latest'],
  ['Registry/app', 'Registry/app:latest', 'Registry/app:latest'],
  ['a__b/c.d/e---f', 'docker.io/a__b/c.d/e---f:latest', 'a__b/c.d/e---f:latest'],
  [`redis@${DIGEST}`, `docker.io/library/redis@${DIGEST}`, `redis@${DIGEST}`],
  [`redis:7@${DIGEST}`, `docker.io/library/redis@${DIGEST}`, `redis@${DIGEST}`],
];

for (const [text, full, short] of table) {
  test(`${text} is ${full}`, (t) => {
    const reference = withDefaultTag(parseReference(text));
    t.is(canonical(reference), full);
    t.is(familiar(reference), short);
    t.is(canonical(withDefaultTag(parseReference(full))), full);
  });
}

const wrong = 'invalid reference format';
const refusals: [text: string, message: string][] = [
  ['', wrong],
  ['/a', wrong],
  ['a/', wrong],
  ['a//b', wrong],
  [':tag', wrong],
  ['a:', wrong],
  ['a:-x', wrong],
  [`a:${'t'.repeat(129)}`, wrong],
  ['-a', wrong],
  ['a_-b', wrong],
  ['a___b', wrong],
  ['a..b', wrong],
  ['a b', wrong],
  ['a@sha256:abc', wrong],
  [`a@sha256:${'A'.repeat(64)}`, wrong],
  [`a@sha512:${'a'.repeat(128)}`, 'unsupported digest algorithm'],
  ['-x.y/app', wrong],
  ['http://host/app', wrong],
  ['../../etc/passwd', wrong],
  ['Redis', 'invalid reference format: repository name (library/Redis) must be lowercase'],
  ['ghcr.io/O/p', 'invalid reference format: repository name (O/p) must be lowercase'],
  [HEX, `invalid repository name (${HEX}), cannot specify 64-byte hexadecimal strings`],
  [
    `x.io/${'a'.repeat(255)}`,
    'invalid reference format: repository name must not be more than 255 characters',
  ],
];

for (const [text, message] of refusals)
  test(`refused: ${text.slice(0, 80) || 'nothing'}`, (t) => refused(t, () => parseReference(text), message));
