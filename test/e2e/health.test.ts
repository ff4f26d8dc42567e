/** Health checks, update, and what ends a container, from the command line. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { Store } from '../helpers/cli.js';
import { leaksAfterSettling } from '../helpers/leaks.js';

let store: Store;

test.before(() => {
  store = new Store();
});

test.after.always(async (t) => {
  const { stdout } = await store.tsrun(['ps', '-aq', '--no-trunc']);
  const ids = stdout.split('\n').filter(Boolean);
  if (ids.length > 0) await store.tsrun(['rm', '-fv', ...ids]);
  t.deepEqual(await leaksAfterSettling(store.root), []);
  await store.destroy();
});

function start(name: string, flags: string[], ...command: string[]): Promise<string> {
  const program = command.length > 0 ? command : ['sleep', '100000'];
  return store.ok('run', '-d', '--name', name, '--network', 'none', ...flags, 'busybox', ...program);
}

async function inspect(name: string, format: string): Promise<string> {
  return (await store.ok('inspect', '-f', format, name)).trim();
}

async function until(name: string, format: string, wanted: string): Promise<void> {
  while ((await inspect(name, format)) !== wanted) await delay(20);
}

async function status(name: string): Promise<string> {
  const text = await store.ok('ps', '-a', '--filter', `name=^${name}$`, '--format', '{{.Status}}');
  return text.trim().replace(/^Up .*?(?= \(|$)/, 'Up');
}

async function events(name: string): Promise<string[]> {
  const text = await store.ok(
    ...['events', '--since', '1', '--until', '0s', '--filter', `container=${name}`],
    ...['--format', '{{.Action}}'],
  );
  return text.split('\n').filter(Boolean);
}

const STATUS = '{{.State.Health.Status}}';

test.serial('starting, unhealthy, healthy: in inspect, ps, its filter and the events', async (t) => {
  await start('web', ['--health-cmd', 'echo checked; test -e /ok', '--health-interval', '10ms']);
  await until('web', STATUS, 'unhealthy');
  t.is(await status('web'), 'Up (unhealthy)');
  t.true(Number(await inspect('web', '{{.State.Health.FailingStreak}}')) >= 3);
  t.is(
    await inspect('web', '{{with index .State.Health.Log 0}}{{.ExitCode}} {{.Output}}{{end}}'),
    '1 checked',
  );
  t.is(await store.ok('ps', '-q', '--filter', 'health=healthy'), '');
  await store.ok('exec', 'web', 'touch', '/ok');
  await until('web', STATUS, 'healthy');
  t.is(await status('web'), 'Up (healthy)');
  t.is(await store.ok('ps', '--filter', 'health=healthy', '--format', '{{.Names}}'), 'web\n');
  const seen = await events('web');
  const statuses = seen.filter((action) => action.startsWith('health_status'));
  t.deepEqual(statuses, ['health_status: unhealthy', 'health_status: healthy']);
  const command = '/bin/sh -c echo checked; test -e /ok';
  t.true(seen.includes(`exec_create: ${command}`) && seen.includes(`exec_start: ${command}`));
});

test.serial('a renamed container’s later events have its new name', async (t) => {
  await store.ok('rename', 'web', 'site');
  await store.ok('pause', 'site');
  t.is(await status('site'), 'Up (Paused)');
  const text = await store.ok(
    ...[
      'events',
      '--since',
      '1',
      '--until',
      '0s',
      '--filter',
      'event=pause',
      '--format',
      '{{.Actor.Attributes.name}}',
    ],
  );
  t.is(text, 'site\n');
  const paused = await store.tsrun(['healthcheck', 'run', 'site']);
  t.is(paused.code, 125);
  t.regex(paused.stderr, /is paused/);
  await store.ok('unpause', 'site');
});

test.serial('restart begins anew; what has ended is unhealthy, with its last results', async (t) => {
  await store.ok('exec', 'site', 'rm', '/ok');
  await store.ok('restart', '-t', '0', 'site');
  await until('site', STATUS, 'unhealthy');
  await store.ok('stop', '-t', '0', 'site');
  t.regex(await status('site'), /^Exited \(137\)/);
  t.is(await inspect('site', STATUS), 'unhealthy');
  t.not(await inspect('site', '{{len .State.Health.Log}}'), '0');
  await store.ok('rm', 'site');
});

test.serial('healthcheck run: 0, 1, and 125 where there is nothing to run', async (t) => {
  const hour = ['--health-interval', '1h'];
  await start('asked', ['--health-cmd', 'test -e /ok', ...hour]);
  t.is(await status('asked'), 'Up (health: starting)');
  const bad = await store.tsrun(['healthcheck', 'run', 'asked']);
  t.deepEqual([bad.code, bad.stdout], [1, 'unhealthy\n']);
  t.is(await inspect('asked', '{{.State.Health.FailingStreak}}'), '1');
  await store.ok('exec', 'asked', 'touch', '/ok');
  t.is(await store.ok('healthcheck', 'run', 'asked'), '');
  t.is(await status('asked'), 'Up (healthy)');
  await store.ok('rm', '-f', 'asked');
  await start('plain', []);
  const none = await store.tsrun(['healthcheck', 'run', 'plain']);
  t.is(none.code, 125);
  t.regex(none.stderr, /has no defined healthcheck/);
  await store.ok('stop', '-t', '0', 'plain');
  t.is((await store.tsrun(['healthcheck', 'run', 'nosuch'])).code, 125);
  await store.ok('rm', 'plain');
});

test.serial('the check runs as the container’s user, with its environment and directory', async (t) => {
  const flags = ['-u', '1234:5678', '-e', 'WORD=said', '-w', '/tmp', '--health-interval', '10ms'];
  await start('who', [
    ...flags,
    '--health-cmd',
    'echo $(id -u):$(id -g) $WORD $PWD; grep CapEff /proc/self/status',
  ]);
  await until('who', STATUS, 'healthy');
  const output = await inspect('who', '{{(index .State.Health.Log 0).Output}}');
  t.is(output, '1234:5678 said /tmp\nCapEff:\t0000000000000000');
  await store.ok('rm', '-f', 'who');
});

test.serial(
  'the image’s check: its own, changed, switched off; a timeout, and a stop that does not wait',
  async (t) => {
    const { stdout: id } = await store.tsrun(['create', '--name', 'base', '--network', 'none', 'busybox']);
    t.truthy(id);
    const check = 'HEALTHCHECK --interval=10ms --timeout=200ms --retries=1 CMD ["sh", "-c", "sleep 1000"]';
    await store.ok('commit', '-c', check, 'base', 'checked');
    const run = (name: string, ...flags: string[]) =>
      store.ok('run', '-d', '--name', name, '--network', 'none', ...flags, 'checked', 'sleep', '100000');
    await run('slow');
    await until('slow', STATUS, 'unhealthy');
    t.is(
      await inspect('slow', '{{with index .State.Health.Log 0}}{{.ExitCode}} {{.Output}}{{end}}'),
      '-1 Health check exceeded timeout (200ms)',
    );
    await run('hangs', '--health-timeout', '1h');
    while (!(await events('hangs')).some((action) => action.startsWith('exec_start'))) await delay(20);
    t.is(await store.ok('stop', '-t', '0', 'hangs'), 'hangs\n');
    await run('off', '--no-healthcheck');
    t.is(await status('off'), 'Up');
    t.is(await inspect('off', '{{json .State.Health}}'), 'null');
    await store.ok('rm', '-f', 'base', 'slow', 'hangs', 'off');
  },
);

test.serial('update: a living container has its new limits at once, and after the next start', async (t) => {
  await start('grows', ['-m', '64m', '--pids-limit', '50']);
  t.is(await store.ok('update', '-m', '100m', '--memory-swap', '200m', '--cpus', '0.5', 'grows'), 'grows\n');
  t.is(
    await inspect('grows', '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}}'),
    `${100 * 1024 ** 2} ${200 * 1024 ** 2} 500000000`,
  );
  const stats = () => store.ok('stats', '--no-stream', '--format', '{{.MemUsage}}', 'grows');
  t.regex(await stats(), / \/ 100MiB/);
  const refused = await store.tsrun(['update', '-m', '500m', 'grows']);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /Cannot update container [0-9a-f]{64}: Memory limit should be smaller than/);
  await store.ok('restart', '-t', '0', 'grows');
  t.regex(await stats(), / \/ 100MiB/);
  t.true((await events('grows')).includes('update'));
});

test.serial('update: what the kernel refuses leaves everything as it was', async (t) => {
  await store.ok('exec', 'grows', 'dd', 'if=/dev/zero', 'of=/dev/shm/x', 'bs=1M', 'count=40');
  const shares = () => inspect('grows', '{{.HostConfig.CpuShares}} {{.HostConfig.Memory}}');
  const before = await shares();
  const refused = await store.tsrun([
    'update',
    '-m',
    '8m',
    '--memory-swap',
    '8m',
    '--cpu-shares',
    '99',
    'grows',
  ]);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /Cannot update container .*memory/);
  t.is(await shares(), before);
  t.regex(await store.ok('stats', '--no-stream', '--format', '{{.MemUsage}}', 'grows'), / \/ 100MiB/);
});

test.serial('update: a mark of one that was cut short makes the documents follow the record', async (t) => {
  const id = await inspect('grows', '{{.Id}}');
  const at = (name: string) => join(store.root, 'containers', id, name);
  await store.ok('stop', '-t', '0', 'grows');
  const config = readFileSync(at('config.json'), 'utf8');
  writeFileSync(at('config.json'), config.replace(String(100 * 1024 ** 2), String(50 * 1024 ** 2)));
  const launch = JSON.parse(readFileSync(at('launch.json'), 'utf8')) as object;
  writeFileSync(
    at('launch.json'),
    JSON.stringify({ ...launch, restart: { policy: 'always', maxRetries: 0 } }),
  );
  writeFileSync(at('updating'), '');
  await store.ok('start', 'grows');
  t.regex(await store.ok('stats', '--no-stream', '--format', '{{.MemUsage}}', 'grows'), / \/ 100MiB/);
  t.is(readFileSync(at('config.json'), 'utf8'), config);
  t.regex(readFileSync(at('launch.json'), 'utf8'), /"restart":\{"policy":"no"/);
  await store.ok('rm', '-f', 'grows');
});

test.serial('update --restart: the monitor of a running container obeys it', async (t) => {
  await start(
    'again',
    ['--restart', 'no'],
    'sh',
    '-c',
    'read x < /fifo 2>/dev/null; test -e /go || sleep 100000; exit 3',
  );
  await store.ok('update', '--restart', 'on-failure:2', 'again');
  const pid = await inspect('again', '{{.State.Pid}}');
  await store.ok('exec', 'again', 'touch', '/go');
  process.kill(Number(pid), 'SIGKILL');
  await until('again', '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}', '2 exited 3');
  t.is(await inspect('again', '{{.HostConfig.RestartPolicy.Name}}'), 'on-failure');
  await store.ok('rm', 'again');
});

test.serial('--rm: restart keeps it, and its end removes it; volumes that another shares stay', async (t) => {
  await start('short', ['--rm', '-v', '/data'], 'sh', '-c', 'echo run >> /runs; exec sleep 100000');
  await start('borrower', ['--volumes-from', 'short']);
  await store.ok('restart', '-t', '0', 'short');
  await store.ok('restart', '-t', '0', 'short');
  t.is(await store.ok('exec', 'short', 'cat', '/runs'), 'run\nrun\nrun\n');
  await store.ok('exec', 'borrower', 'touch', '/data/kept');
  await store.ok('stop', '-t', '0', 'short');
  t.is((await store.tsrun(['container', 'exists', 'short'])).code, 1);
  t.is(await store.ok('exec', 'borrower', 'ls', '/data'), 'kept\n');
  t.is((await store.ok('volume', 'ls', '-q')).trim().length, 64);
  await store.ok('rm', '-f', 'borrower');
  await start('alone', ['--rm', '--volumes-from', 'nosuch']).then(
    () => t.fail(),
    () => t.pass(),
  );
  await store.ok('volume', 'prune', '-f');
  await start('alone', ['--rm', '-v', '/data']);
  t.is((await store.ok('volume', 'ls', '-q')).trim().length, 64);
  await store.ok('stop', '-t', '0', 'alone');
  t.is(await store.ok('volume', 'ls', '-q'), '');
});

test.serial('memory beyond the limit: killed, 137, OOMKilled, an event', async (t) => {
  const eat = ['sh', '-c', 'x=a; while :; do x=$x$x; done'];
  const run = [
    'run',
    '--name',
    'eats',
    '--network',
    'none',
    '-m',
    '16m',
    '--memory-swap',
    '16m',
    'busybox',
    ...eat,
  ];
  t.is((await store.tsrun(run)).code, 137);
  t.is(
    await inspect('eats', '{{.State.OOMKilled}} {{.State.ExitCode}} {{.State.Status}}'),
    'true 137 exited',
  );
  const seen = await events('eats');
  t.deepEqual(
    seen.filter((action) => action === 'oom' || action === 'die'),
    ['oom', 'die'],
  );
  await store.ok('rm', 'eats');
});
