/** The built CLI as a process: bin/tsrun, bin/loader.cjs and dist/cli.cjs (npm run build). */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import anyTest, { type TestFn } from 'ava';

const test = anyTest as TestFn<{ dir: string; root: string }>;
const TSRUN = resolve('bin/tsrun');
const LOADER = resolve('bin/loader.cjs');

test.beforeEach((t) => {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-launcher-'));
  t.context = { dir, root: join(dir, 'root') };
});
test.afterEach.always((t) => rmSync(t.context.dir, { recursive: true, force: true }));

function run(file: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(file, args, { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } });
}

test('variables that bend Node are kept from it', (t) => {
  const evil = join(t.context.dir, 'evil.cjs');
  writeFileSync(evil, `require('node:fs').writeSync(1, 'bent\\n');`);
  const env = {
    NODE_OPTIONS: `--require=${evil}`,
    NODE_PATH: '/nowhere',
    NODE_V8_COVERAGE: join(t.context.dir, 'cov'),
  };
  const { stdout, stderr } = run(TSRUN, ['--version'], env);
  t.regex(stdout, /^tsrun version [\d.]+\n$/);
  t.is(stderr, '');
  t.false(existsSync(join(t.context.dir, 'cov')));
});

test("--env-file is the container's: Node itself neither refuses nor reads it", (t) => {
  const { dir, root } = t.context;
  const missing = run(TSRUN, ['--root', root, 'run', '--env-file', join(dir, 'missing'), 'busybox']);
  t.is(missing.status, 125);
  t.regex(missing.stderr, /^tsrun: open .*missing: no such file or directory$/m);

  const evil = join(dir, 'evil.cjs');
  writeFileSync(evil, `require('node:fs').writeSync(1, 'bent\\n');`);
  const file = join(dir, 'env');
  writeFileSync(file, `NODE_OPTIONS=--require=${evil}\n`);
  const refused = run(TSRUN, ['--root', root, 'run', '--env-file', file, '--pull', 'never', 'no-such-image']);
  t.is(refused.status, 125);
  t.is(refused.stdout, '');
});

test('it finds its package through links, by any name', (t) => {
  const { dir } = t.context;
  mkdirSync(join(dir, 'sub'));
  symlinkSync(TSRUN, join(dir, 'first'));
  symlinkSync('../first', join(dir, 'sub', 'second'));
  t.is(run(join(dir, 'sub', 'second'), ['--version']).status, 0);
  t.is(run('sh', ['-c', 'second --version'], { PATH: `${join(dir, 'sub')}:${process.env.PATH}` }).status, 0);
});

/** Each would change what Node does or loads, if it reached it. */
const BENDING = {
  NODE_OPTIONS: '--require=/evil.cjs',
  NODE_PATH: '/evil',
  NODE_EXTRA_CA_CERTS: '/evil.pem',
  NODE_REDIRECT_WARNINGS: '/evil/warnings',
  NODE_PENDING_DEPRECATION: '1',
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
  NODE_REPL_EXTERNAL_MODULE: '/evil.cjs',
  NODE_ICU_DATA: '/evil',
  NODE_DEBUG: 'module,fs',
  NODE_DEBUG_NATIVE: 'mksnapshot',
  NODE_PRESERVE_SYMLINKS: '1',
  NODE_CHANNEL_FD: '77',
  NODE_UNIQUE_ID: '1',
  NODE_TEST_CONTEXT: 'child-v8',
  SSL_CERT_FILE: '/evil.pem',
  SSL_CERT_DIR: '/evil',
  OPENSSL_CONF: '/evil.cnf',
  OPENSSL_MODULES: '/evil',
  OPENSSL_ENGINES: '/evil',
  UV_THREADPOOL_SIZE: '1',
  UV_USE_IO_URING: '1',
};

test('each variable that bends Node is out of its environment, and none of its dumps has a secret', (t) => {
  const { dir } = t.context;
  // A node that tells what it was given.
  const told = join(dir, 'told');
  writeFileSync(join(dir, 'node'), `#!/bin/sh\n{ ulimit -S -c; env; } > ${told}\n`, { mode: 0o755 });
  run(TSRUN, ['--version'], { ...BENDING, PATH: `${dir}:${process.env.PATH}` });
  const [core, ...env] = readFileSync(told, 'utf8').trim().split('\n');
  t.is(core, '0');
  for (const [name, value] of Object.entries(BENDING)) {
    t.false(env.includes(`${name}=${value}`), name);
    t.true(env.includes(`TSRUN_SAVED_${name}=${value}`), `-e ${name} still has it`);
  }
});

test('as root it loads nothing that everybody may change, and warns of what another owns', (t) => {
  const { dir } = t.context;
  cpSync('bin', join(dir, 'p/bin'), { recursive: true });
  mkdirSync(join(dir, 'p/dist'), { mode: 0o755 });
  writeFileSync(join(dir, 'p/dist/cli.cjs'), `require('node:fs').writeSync(1, 'ran\\n');`);
  const start = (env: NodeJS.ProcessEnv = {}) => {
    const { status, stdout, stderr } = run(join(dir, 'p/bin/tsrun'), ['ps'], env);
    return [status, stdout, stderr.split('\n')[0]];
  };
  t.deepEqual(start(), [0, 'ran\n', '']);
  const bundle = join(dir, 'p/dist/cli.cjs');
  chownSync(bundle, 1000, 1000);
  const warning = `WARNING: others than root may change ${bundle}, which runs as root (TSRUN_TRUST_INSTALL=1 hides this)`;
  t.deepEqual(start(), [0, 'ran\n', warning]);
  t.deepEqual(start({ SUDO_UID: '1000', SUDO_GID: '1000' }), [0, 'ran\n', '']);
  chmodSync(join(dir, 'p/dist'), 0o777);
  t.deepEqual(start(), [
    125,
    '',
    `tsrun: everybody may change ${join(dir, 'p/dist')}, which would run as root`,
  ]);
  t.deepEqual(start({ TSRUN_TRUST_INSTALL: '1' }), [0, 'ran\n', '']);
});

test('without node it says so and exits 125', (t) => {
  const bin = join(t.context.dir, 'bin');
  mkdirSync(bin);
  const { status, stderr } = run('/bin/sh', [TSRUN, 'ps'], { PATH: bin });
  t.is(status, 125);
  t.regex(stderr, /node is not in PATH/);
});

test('exit codes and both streams come through', (t) => {
  const { status, stdout, stderr } = run(TSRUN, ['ps', '--nope']);
  t.deepEqual([status, stdout], [125, '']);
  t.regex(stderr, /^unknown flag: --nope\n/);
});

test('a reader that goes away ends it without a word', (t) => {
  const command = `${TSRUN} --help; echo "code $?" >&2`;
  const { stderr } = run('sh', ['-c', `{ ${command}; } | true`]);
  // The pipe may have taken all of it before `true` ended.
  t.regex(stderr, /^code (141|0)\n$/);
});

test('SIGUSR1 does not open the debugger', async (t) => {
  const child = spawn(process.execPath, [LOADER, '--root', t.context.root, 'load']);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const exit = once(child, 'exit');
  // Its store is open: the first statement has long been run.
  while (!existsSync(join(t.context.root, 'oci')) && child.exitCode === null) await new Promise(setImmediate);
  child.kill('SIGUSR1');
  child.stdin.end('no archive');
  await exit;
  t.notRegex(stderr, /Debugger listening/);
});

/** Slow to load, and of no use to a verb that only reads the store. */
const HEAVY = [
  'https',
  'http',
  'tls',
  'child_process',
  'zlib',
  'assert',
  'worker_threads',
  'http2',
  'readline',
];

for (const verb of [['ps'], ['images'], ['version'], ['inspect', 'nosuch'], ['--version']])
  test(`${verb.join(' ')} loads nothing it does not need`, (t) => {
    const list = join(t.context.dir, 'list');
    const hook = resolve('test/helpers/module-list.cjs');
    run(process.execPath, ['-r', hook, LOADER, '--root', t.context.root, ...verb], { MODULE_LIST: list });
    const loaded = readFileSync(list, 'utf8').split('\n');
    t.deepEqual(
      HEAVY.filter((name) => loaded.includes(name)),
      [],
    );
  });
