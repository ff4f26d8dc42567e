import test from 'ava';
import { planRun } from '../../src/plan/run.js';
import type { RunOptions } from '../../src/types/engine.js';
import type { Healthcheck, ImageRunConfig } from '../../src/types/oci.js';
import { planInput } from '../helpers/plan-input.js';

const plan = (options: Partial<RunOptions>, image: ImageRunConfig = {}) =>
  planRun(planInput(options, { Cmd: ['c'], ...image }));

test('restart, stop and init', (t) => {
  const { launch, config, hostConfig } = plan(
    { restart: 'on-failure:3', stopSignal: 'USR1', stopTimeout: -7, init: true },
    { StopSignal: 'SIGINT' },
  );
  t.like(launch, {
    restart: { policy: 'on-failure', maxRetries: 3 },
    stopSignal: 10,
    stopTimeout: -1,
    init: true,
  });
  t.like(config, { StopSignal: 'USR1', StopTimeout: -7 });
  t.like(hostConfig, { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 }, Init: true });
  t.is(plan({}).hostConfig.Init, undefined);
  t.is(plan({}).config.StopTimeout, undefined);
  t.is(plan({}, { StopSignal: 'SIGQUIT' }).launch.stopSignal, 3);
  // An image may say anything; it stops all the same.
  t.is(plan({}, { StopSignal: 'SIGNOSUCH' }).launch.stopSignal, 15);
});

test('health: what the user says, then what the image says, then the defaults', (t) => {
  const image: Healthcheck = { Test: ['CMD', 'probe', '-x'], Interval: 7e9, Retries: 9 };
  const defaults = {
    intervalMs: 30000,
    timeoutMs: 30000,
    retries: 3,
    startPeriodMs: 0,
    startIntervalMs: 5000,
  };
  const table: [Partial<RunOptions>, ImageRunConfig, Healthcheck | undefined, object | undefined][] = [
    [{}, {}, undefined, undefined],
    [{}, { Healthcheck: image }, image, { ...defaults, argv: ['probe', '-x'], intervalMs: 7000, retries: 9 }],
    [{ noHealthcheck: true }, { Healthcheck: image }, { ...image, Test: ['NONE'] }, undefined],
    [{}, { Healthcheck: { Test: ['NONE'] } }, { Test: ['NONE'] }, undefined],
    [
      { healthCmd: 'curl x', healthTimeout: '1500us', healthRetries: 2 },
      { Healthcheck: image },
      { Test: ['CMD-SHELL', 'curl x'], Interval: 7e9, Timeout: 1.5e6, Retries: 2 },
      { ...defaults, argv: ['/bin/sh', '-c', 'curl x'], intervalMs: 7000, timeoutMs: 2, retries: 2 },
    ],
    [{ healthRetries: 5 }, {}, { Retries: 5 }, undefined],
    [
      { healthCmd: 'x', healthStartPeriod: '1m', healthStartInterval: '2s' },
      { Shell: ['/bin/bash', '-ec'] },
      { Test: ['CMD-SHELL', 'x'], StartPeriod: 60e9, StartInterval: 2e9 },
      { ...defaults, argv: ['/bin/bash', '-ec', 'x'], startPeriodMs: 60000, startIntervalMs: 2000 },
    ],
  ];
  for (const [options, image, shown, launched] of table) {
    const { config, launch } = plan(options, image);
    t.deepEqual(config.Healthcheck, shown, JSON.stringify(options));
    t.deepEqual(launch.health, launched as typeof launch.health);
  }
});

test('an image’s check is hostile, too', (t) => {
  const health = (Healthcheck: unknown) =>
    plan({}, { Healthcheck: Healthcheck as Healthcheck }).launch.health;
  t.like(health({ Test: ['CMD', 'x'], Interval: -1, Timeout: 'no', Retries: -4 }), {
    intervalMs: 30000,
    timeoutMs: 30000,
    retries: 3,
  });
  t.is(health({ Test: ['CMD', 'x'], Interval: 1e300 })?.intervalMs, Number.MAX_SAFE_INTEGER);
  t.is(health({ Test: [] }), undefined);
  t.is(health({ Test: ['CMD'] }), undefined);
  t.is(health({ Test: ['OTHER', 'x'] }), undefined);
  t.is(health({ Test: 'CMD' }), undefined);
});

test('logs: local is a name for other defaults', (t) => {
  const shown = (options: Partial<RunOptions>) => {
    const { launch, hostConfig } = plan(options);
    return [launch.log, hostConfig.LogConfig];
  };
  t.deepEqual(shown({ logDriver: 'local' }), [
    { driver: 'json-file', maxSize: 20 * 1024 ** 2, maxFile: 5, compress: true },
    { Type: 'local', Config: { 'max-file': '5', 'max-size': '20m' } },
  ]);
  t.deepEqual(shown({ logDriver: 'none' }), [
    { driver: 'none', maxSize: 0, maxFile: 1, compress: false },
    { Type: 'none', Config: {} },
  ]);
});

test('-a says what the first client takes, -i whether its end is the end', (t) => {
  const shown = (options: Partial<RunOptions>) => {
    const { AttachStdin, AttachStdout, AttachStderr, OpenStdin, StdinOnce } = plan(options).config;
    return [AttachStdin, AttachStdout, AttachStderr, OpenStdin, StdinOnce].map(Number).join('');
  };
  t.is(shown({}), '01100');
  t.is(shown({ interactive: true }), '11111');
  t.is(shown({ interactive: true, detach: true }), '00010');
  t.is(shown({ attach: ['stdout'] }), '01000');
  t.is(shown({ attach: ['stdin'] }), '10000');
  t.is(shown({ attach: ['stdin'], interactive: true }), '10011');
  t.is(shown({ attach: ['stderr'], interactive: true }), '00110');
});

test('ports are told to others, the image’s and the user’s', (t) => {
  t.deepEqual(plan({ expose: ['80-81', '53/udp'] }, { ExposedPorts: { '22/tcp': {} } }).config.ExposedPorts, {
    '22/tcp': {},
    '80/tcp': {},
    '81/tcp': {},
    '53/udp': {},
  });
  t.is(plan({}).config.ExposedPorts, undefined);
});
