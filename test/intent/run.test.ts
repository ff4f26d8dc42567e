import test from 'ava';
import { parseRun } from '../../src/intent/run.js';
import type { RunOptions } from '../../src/types/engine.js';
import { refused } from '../helpers/refused.js';

const context = { env: { HERE: 'yes' }, cwd: '/w' };
const parse = (options: Partial<RunOptions>) => parseRun({ image: 'busybox', ...options }, context);

test('nothing but an image leaves every default absent', (t) => {
  t.deepEqual(parse({}), {
    image: 'busybox',
    command: [],
    name: undefined,
    interactive: false,
    tty: false,
    detach: false,
    rm: false,
    env: [],
    mounts: [],
    workdir: undefined,
    user: undefined,
    entrypoint: undefined,
    hostname: undefined,
    pull: 'missing',
    platform: undefined,
    network: 'bridge',
    labels: {},
    consoleSize: undefined,
  });
});

test('env files come before -e', (t) => {
  const intent = parseRun(
    { image: 'i', env: ['A=flag', 'HERE', 'NOT'], envFile: ['f'] },
    { ...context, envFiles: [{ path: 'f', text: 'A=file\nHERE\nNOT\n' }] },
  );
  t.deepEqual(intent.env, [
    { name: 'A', value: 'file' },
    { name: 'HERE', value: 'yes' },
    { name: 'A', value: 'flag' },
    { name: 'HERE', value: 'yes' },
    { remove: 'NOT' },
  ]);
});

test('mounts: one source per destination, anonymous ones give way', (t) => {
  const shown = (volume: string[]) =>
    parse({ volume }).mounts.map(({ kind, destination }) => `${kind} ${destination}`);
  t.deepEqual(shown(['/b', '/c:/b', '/d', '/d/', '/c:/b']), ['bind /b', 'anonymous /d']);
  refused(t, () => shown(['/a:/b', '/c:/b/']), 'Duplicate mount point: /b');
});

test('what is refused', (t) => {
  const table: [Partial<RunOptions>, string][] = [
    [{ image: '' }, 'invalid reference format'],
    [{ workdir: 'rel' }, "the working directory 'rel' is invalid, it needs to be an absolute path"],
    [{ pull: 'x' as 'always' }, `invalid pull option: 'x': must be one of "always", "missing" or "never"`],
    [{ hostname: 'a b' }, 'invalid hostname format: a b'],
    [{ hostname: 'a\n1.2.3.4 evil' }, 'invalid hostname format: a\n1.2.3.4 evil'],
    [{ hostname: 'h'.repeat(65) }, `invalid hostname format: ${'h'.repeat(65)}`],
    [{ user: '-1' }, 'uids and gids must be in range 0-2147483647'],
    [{ name: 'a' }, 'Invalid container name (a), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed'],
  ];
  for (const [options, message] of table) refused(t, () => parse(options), message);
  refused(t, () => parse({ network: 'nosuch' }), 'network nosuch not found', 'NOT_FOUND');
});

test('what is accepted', (t) => {
  t.is(parse({ hostname: 'a.b_c' }).hostname, 'a.b_c');
  t.is(parse({ hostname: '-x' }).hostname, '-x');
  t.is(parse({ name: '/ab' }).name, 'ab');
  t.is(parse({ entrypoint: '' }).entrypoint, '');
  t.is(parse({ network: 'default' }).network, 'bridge');
  t.is(parse({ network: 'host' }).network, 'host');
  t.is(parse({ workdir: '/a/../b' }).workdir, '/a/../b');
});
