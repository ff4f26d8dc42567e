import test from 'ava';
import { planConfig } from '../../src/plan/config.js';
import { planRun } from '../../src/plan/run.js';
import type { RunOptions } from '../../src/types/engine.js';
import type { ImageRunConfig } from '../../src/types/oci.js';
import { planInput } from '../helpers/plan-input.js';
import { refused } from '../helpers/refused.js';

const plan = (options: Partial<RunOptions>, image: ImageRunConfig = {}) =>
  planConfig(planInput(options).intent, image, 'h');

test('argv is ENTRYPOINT and then the arguments, or CMD without them', (t) => {
  const both: ImageRunConfig = { Entrypoint: ['e', '1'], Cmd: ['c', '2'] };
  const table: [Partial<RunOptions>, ImageRunConfig, string[]][] = [
    [{}, both, ['e', '1', 'c', '2']],
    [{ command: ['x'] }, both, ['e', '1', 'x']],
    [{ entrypoint: 'f' }, both, ['f']],
    [{ entrypoint: 'f', command: ['x'] }, both, ['f', 'x']],
    [{ entrypoint: '', command: ['x'] }, both, ['x']],
    [{}, { Cmd: ['c'], Entrypoint: null }, ['c']],
    [{}, { Entrypoint: ['e'], Cmd: [] }, ['e']],
    [{ command: [''] }, {}, ['']],
  ];
  for (const [options, image, argv] of table) t.deepEqual(plan(options, image).argv, argv);
  for (const [options, image] of [
    [{}, {}],
    [{ entrypoint: '' }, both],
    [{}, { Cmd: [], Entrypoint: [] }],
  ] as const) {
    refused(t, () => plan(options, image as ImageRunConfig), 'No command specified');
  }
});

test('the environment, in order', (t) => {
  const image: ImageRunConfig = {
    Cmd: ['c'],
    Env: ['IMG=i', 'TERM=vt', 'A=img', 'PATH=/bin', 'GONE=1', 'bad', '=x'],
  };
  const { config, env } = plan({ env: ['U=1', 'A=usr', 'GONE', 'U=2', 'NOPE'], tty: true }, image);
  t.deepEqual(env, ['PATH=/bin', 'HOSTNAME=h', 'TERM=vt', 'U=2', 'A=usr', 'IMG=i']);
  t.deepEqual(config.Env, ['U=2', 'A=usr', 'IMG=i', 'TERM=vt', 'PATH=/bin']);
  const bare = plan({ env: ['HOSTNAME'] }, { Cmd: ['c'] });
  t.deepEqual(bare.env, ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']);
  t.deepEqual(plan({ tty: true }, { Cmd: ['c'] }).env.slice(1), ['HOSTNAME=h', 'TERM=xterm']);
});

test('the rest of the image stays under what was asked', (t) => {
  const image: ImageRunConfig = {
    Cmd: ['c'],
    User: 'app',
    WorkingDir: '/srv/../app',
    Labels: { a: 'img', b: 'img' },
    ExposedPorts: { '80/tcp': {} },
    Volumes: { '/data': {} },
    StopSignal: 'SIGINT',
    Healthcheck: { Test: ['CMD', 'x'] },
    OnBuild: ['RUN x'],
  };
  const { config, cwd } = plan({ label: ['b=usr', 'c'], volume: ['/anon', 'vv:/named'] }, image);
  t.is(config.User, 'app');
  t.is(config.WorkingDir, '/srv/../app');
  t.is(cwd, '/app');
  t.deepEqual(config.Labels, { a: 'img', b: 'usr', c: '' });
  t.deepEqual(config.ExposedPorts, { '80/tcp': {} });
  t.deepEqual(config.Volumes, { '/data': {}, '/anon': {} });
  t.is(config.StopSignal, 'SIGINT');
  t.deepEqual(config.Healthcheck, { Test: ['CMD', 'x'] });
  t.is(config.OnBuild, null);
  const other = plan({ user: '1:2', workdir: '/w' }, image);
  t.is(other.config.User, '1:2');
  t.is(other.cwd, '/w');
  t.is(plan({}, { Cmd: ['c'] }).cwd, '/');
});

test('attach flags follow -i and -d', (t) => {
  const shown = (options: Partial<RunOptions>) => {
    const { config } = plan(options, { Cmd: ['c'] });
    return [config.AttachStdin, config.AttachStdout, config.AttachStderr, config.OpenStdin, config.StdinOnce];
  };
  t.deepEqual(shown({}), [false, true, true, false, false]);
  t.deepEqual(shown({ interactive: true }), [true, true, true, true, true]);
  t.deepEqual(shown({ interactive: true, detach: true }), [false, false, false, true, false]);
  t.deepEqual(shown({ detach: true }), [false, false, false, false, false]);
});

test('a hostile image config is refused before anything is made', (t) => {
  refused(
    t,
    () => plan({}, { Cmd: ['c'], User: '4294967296' }),
    'uids and gids must be in range 0-2147483647',
  );
  refused(
    t,
    () => plan({}, { Cmd: ['c'], WorkingDir: 'proc/self/fd/7' }),
    "the working directory 'proc/self/fd/7' is invalid, it needs to be an absolute path",
    'FORMAT',
  );
  const run = (image: ImageRunConfig) => () => planRun(planInput({}, image));
  refused(t, run({ Cmd: ['a\0b'] }), 'argument "a\\u0000b" holds a NUL byte', 'FORMAT');
  refused(
    t,
    run({ Cmd: ['c'], Env: ['A=\0'] }),
    'environment variable "A=\\u0000" holds a NUL byte',
    'FORMAT',
  );
  refused(
    t,
    run({ Cmd: ['c'], WorkingDir: '/\0' }),
    'working directory "/\\u0000" holds a NUL byte',
    'FORMAT',
  );
  refused(
    t,
    run({ Cmd: ['c'], Volumes: { '/proc': {} } }),
    '"/proc" cannot be mounted because it is not of type proc',
  );
  refused(
    t,
    run({ Cmd: ['c'], Volumes: { '../..': {} } }),
    `"/" cannot be mounted because destination can't be '/'`,
  );
  refused(
    t,
    run({ Cmd: ['c'], Volumes: { '/proc/../proc/self': {} } }),
    '"/proc/self" cannot be mounted because it is inside /proc',
  );
});
