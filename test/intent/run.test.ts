import test from 'ava';
import { parseRun } from '../../src/intent/run.js';
import type { RunOptions } from '../../src/types/engine.js';
import { refused } from '../helpers/refused.js';

const context = { env: { HERE: 'yes' }, cwd: '/w' };
const parse = (options: Partial<RunOptions>) => parseRun({ image: 'busybox', ...options }, context);

test('nothing but an image leaves every default absent', (t) => {
  const { limits, log, namespaces, ...rest } = parse({});
  t.deepEqual(JSON.parse(JSON.stringify(rest)), {
    image: 'busybox',
    command: [],
    interactive: false,
    tty: false,
    detach: false,
    attach: { stdin: false, stdout: true, stderr: true },
    rm: false,
    env: [],
    mounts: [],
    volumesFrom: [],
    readOnly: false,
    groupAdd: [],
    domainname: '',
    extraHosts: [],
    resolver: { servers: [], search: [], options: [] },
    network: 'bridge',
    pull: 'missing',
    exposed: [],
    labels: {},
    annotations: {},
    ulimits: [],
    init: false,
    restart: { name: 'no', maxRetries: 0 },
    sysctls: {},
    security: {
      privileged: false,
      capAdd: [],
      capDrop: [],
      noNewPrivileges: false,
      systemPathsUnconfined: false,
      options: [],
    },
    devices: [],
    deviceRules: [],
  });
  t.deepEqual([...new Set(Object.values(limits))], [undefined]);
  t.like(log, { driver: 'json-file', maxSize: 10 * 1024 ** 2, maxFile: 3 });
  t.deepEqual(
    { ...namespaces },
    {
      pid: 'private',
      ipc: 'private',
      uts: 'private',
      cgroup: 'private',
      user: '',
      cgroupParent: undefined,
    },
  );
});

test('env files come before -e', (t) => {
  const intent = parseRun(
    { image: 'i', env: ['A=flag', 'HERE', 'NOT'], envFile: ['f'] },
    { ...context, readFile: () => Buffer.from('A=file\nHERE\nNOT\n') },
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
