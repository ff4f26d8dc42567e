/** tsrun-runtime as an OCI runtime: the verbs on a real bundle, as another engine calls them. */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { makeBusyboxRoot } from '../../rootfs-fixtures/busybox.js';
import { helperPath } from '../../src/native/load.js';

const work = mkdtempSync(join(tmpdir(), 'tsrun-oci-'));
const state = join(work, 'state');
const rootfs = join(work, 'rootfs');
makeBusyboxRoot(rootfs);

interface Config {
  process: { terminal: boolean; args: string[]; noNewPrivileges: boolean; env: string[] };
  root: { path: string; readonly: boolean };
  hooks?: Record<string, { path: string; args?: string[]; env?: string[]; timeout?: number }[]>;
  annotations?: Record<string, string>;
}

const used: string[] = [];
test.after.always(() => {
  for (const id of used) runtime(['delete', '--force', id]);
  rmSync(work, { recursive: true, force: true });
});

function runtime(args: string[], options: SpawnSyncOptions = {}) {
  const result = spawnSync(helperPath(), ['--root', state, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  return { code: result.status, out: String(result.stdout), err: String(result.stderr) };
}

/** A bundle that runs `args`; `id` is a name that no other test has. */
function bundle(id: string, args: string[], change: (config: Config) => void = () => {}): string {
  const dir = join(work, id);
  mkdirSync(dir);
  used.push(id);
  const made = spawnSync(helperPath(), ['spec', '--bundle', dir]);
  if (made.status !== 0) throw new Error(String(made.stderr));
  const file = join(dir, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as Config;
  config.process.terminal = false;
  config.process.args = args;
  config.root = { path: rootfs, readonly: true };
  change(config);
  writeFileSync(file, JSON.stringify(config));
  return dir;
}

const statusOf = (id: string) => (JSON.parse(runtime(['state', id]).out) as { status: string }).status;

/** Creates it with its output in a file, since a pipe would be held open by the container. */
function create(id: string, dir: string, more: string[] = []) {
  const out = join(dir, 'out');
  const result = spawnSync(
    'sh',
    [
      '-c',
      'exec "$@" >"$0" 2>&1',
      out,
      helperPath(),
      '--root',
      state,
      'create',
      '--bundle',
      dir,
      ...more,
      id,
    ],
    { stdio: 'ignore' },
  );
  return { code: result.status, output: () => readFileSync(out, 'utf8') };
}

test('create, start, exec, kill and delete, and what state says meanwhile', (t) => {
  const dir = bundle('life', ['sleep', '1000'], (config) => {
    config.annotations = { 'org.example': 'yes' };
  });
  const pidFile = join(dir, 'pid');
  t.is(create('life', dir, ['--pid-file', pidFile]).code, 0);
  t.is(statusOf('life'), 'created');
  const shown = JSON.parse(runtime(['state', 'life']).out) as Record<string, unknown>;
  t.is(String(shown.pid), readFileSync(pidFile, 'utf8'));
  t.deepEqual(shown.annotations, { 'org.example': 'yes' });
  t.is(create('life', dir).code, 1);
  t.is(runtime(['start', 'life']).code, 0);
  t.is(statusOf('life'), 'running');
  t.is(runtime(['start', 'life']).code, 1);
  t.is(runtime(['exec', 'life', 'sh', '-c', 'exit 42']).code, 42);
  t.is(
    runtime([
      'exec',
      '--user',
      '7:8',
      '-e',
      'A=b',
      '--cwd',
      '/tmp',
      'life',
      'sh',
      '-c',
      'id -u; id -g; echo $A; pwd',
    ]).out,
    '7\n8\nb\n/tmp\n',
  );
  const missing = runtime(['exec', 'life', 'no-such-program']);
  t.is(missing.code, 255);
  t.regex(missing.err, /executable file not found in \$PATH/);
  t.is((JSON.parse(runtime(['ps', '--format', 'json', 'life']).out) as number[])[0], shown.pid as number);
  t.is(runtime(['pause', 'life']).code, 0);
  t.is(statusOf('life'), 'paused');
  t.is(runtime(['exec', 'life', 'true']).code, 255);
  t.is(runtime(['resume', 'life']).code, 0);
  t.is(runtime(['delete', 'life']).code, 1, 'it runs');
  t.is(runtime(['delete', '--force', 'life']).code, 0);
  t.is(runtime(['delete', '--force', 'life']).code, 0, 'gone already');
  const gone = runtime(['state', 'life']);
  t.is(gone.code, 1);
  t.regex(gone.err, /container does not exist/);
});

test('run waits for the end, gives its exit code, and leaves nothing', (t) => {
  const dir = bundle('run', ['sh', '-c', 'echo here; ls /proc/self/fd | wc -l; exit 3']);
  const result = runtime(['run', '--bundle', dir, 'run']);
  t.is(result.code, 3);
  // 0, 1, 2 and the directory that ls reads.
  t.is(result.out, 'here\n4\n');
  t.false(existsSync(join(state, 'run')));
});

test('a program that is not there fails at create, and nothing is left', (t) => {
  const dir = bundle('nothing', ['no-such-program']);
  const log = join(dir, 'log.json');
  const result = runtime(['--log', log, '--log-format', 'json', 'create', '--bundle', dir, 'nothing']);
  t.is(result.code, 1);
  const entry = JSON.parse(readFileSync(log, 'utf8')) as { level: string; msg: string };
  t.is(entry.level, 'error');
  t.regex(entry.msg, /executable file not found in \$PATH/);
  t.false(existsSync(join(state, 'nothing')));
});

test('hooks run in their order, with the state on stdin, where their point says', (t) => {
  const notes = join(work, 'hook-notes');
  const note = (point: string) => [
    { path: '/bin/sh', args: ['sh', '-c', `cat >/dev/null; echo ${point} $PWD >>${notes}`], env: [] },
  ];
  const dir = bundle('hooks', ['true'], (config) => {
    const points = ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop'];
    config.hooks = Object.fromEntries(points.map((point) => [point, note(point)]));
    // Inside the container, just before the program.
    config.hooks.startContainer = [{ path: '/bin/sh', args: ['sh', '-c', 'cat'] }];
  });
  const result = runtime(['run', '--bundle', dir, 'hooks']);
  t.is(result.code, 0, result.err);
  const said = readFileSync(notes, 'utf8').trim().split('\n');
  t.deepEqual(
    said.map((line) => line.split(' ')[0]),
    ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop'],
  );
  t.regex(said[2] ?? '', new RegExp(`${rootfs}$`));
});

test('a hook that fails or takes too long takes the container with it', (t) => {
  const failing = bundle('hook-fails', ['true'], (config) => {
    config.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', 'echo because >&2; exit 5'] }] };
  });
  const failed = runtime(['create', '--bundle', failing, 'hook-fails']);
  t.is(failed.code, 1);
  t.regex(failed.err, /createRuntime.*because/);
  const slow = bundle('hook-slow', ['true'], (config) => {
    config.hooks = { createContainer: [{ path: '/bin/sleep', args: ['sleep', '1000'], timeout: 1 }] };
  });
  t.is(runtime(['create', '--bundle', slow, 'hook-slow']).code, 1);
  t.false(existsSync(join(state, 'hook-slow')));
});

test('what is preserved stays open in the program, and nothing else', (t) => {
  const dir = bundle('fds', ['sh', '-c', 'cat <&3; ls /proc/self/fd | tr "\\n" " "']);
  writeFileSync(join(dir, 'given'), 'given\n');
  const script =
    'exec 3<"$1/given" 5<"$1/given"; exec "$0" --root "$2" run --preserve-fds 1 --bundle "$1" fds';
  const result = spawnSync('bash', ['-c', script, helperPath(), dir, state], { encoding: 'utf8' });
  t.is(result.stdout, 'given\n0 1 2 3 4 ', result.stderr);
});

test('limits are changed by flags and by a document, all of it or nothing', (t) => {
  const dir = bundle('limits', ['sleep', '1000']);
  t.is(create('limits', dir).code, 0);
  t.is(runtime(['update', '--pids-limit', '20', '--memory', '32M', 'limits']).code, 0);
  t.is(
    runtime(['update', '--resources', '-', 'limits'], { input: '{"pids":{"limit":30}}', stdio: 'pipe' }).code,
    0,
  );
  const stats = runtime(['events', '--stats', 'limits']);
  const { data } = JSON.parse(stats.out) as {
    data: { pids: { limit: number }; memory: { usage: { limit: number } } };
  };
  t.is(data.pids.limit, 30);
  t.is(data.memory.usage.limit, 32 << 20);
  t.is(runtime(['update', '--memory', 'plenty', 'limits']).code, 1);
});

test('names of containers are names and nothing else', (t) => {
  const dir = bundle('names', ['true']);
  for (const id of ['..', 'a/b', '', 'a b']) {
    const result = runtime(['create', '--bundle', dir, id]);
    t.is(result.code, 1, id);
    t.regex(result.err, /invalid container ID format/, id);
  }
});
