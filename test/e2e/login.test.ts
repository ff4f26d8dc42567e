/** `login` and `logout` at a real registry that lets nobody in without a password. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Result, Store, TSRUN } from '../helpers/cli.js';
import { LOGIN, type Registry, startRegistry } from '../helpers/registry.js';
import { Terminal } from '../helpers/terminal.js';

const { username, password } = LOGIN;
let registry: Registry;
let store: Store;
const dir = mkdtempSync(join(tmpdir(), 'tsrun-login-'));

test.serial.before('a registry with a password', async () => {
  registry = await startRegistry({ login: true });
  store = new Store();
});

test.after.always(async () => {
  registry.stop();
  await store.destroy();
  rmSync(dir, { recursive: true, force: true });
});

let folders = 0;

/** A configuration of its own: what is in config.json, and the programs beside it. */
class Home {
  readonly dir = join(dir, `home-${++folders}`);
  readonly file = join(this.dir, 'config.json');
  readonly log = join(this.dir, 'helper.log');

  constructor(config?: object) {
    mkdirSync(this.dir);
    if (config !== undefined) writeFileSync(this.file, JSON.stringify(config), { mode: 0o644 });
  }

  get config(): Record<string, unknown> {
    return JSON.parse(readFileSync(this.file, 'utf8'));
  }

  run(args: string[], input?: string): Promise<Result> {
    const env = { DOCKER_CONFIG: this.dir, PATH: `${this.dir}:${process.env.PATH}` };
    return store.tsrun(args, { input, env });
  }

  /** A credential helper that keeps what it is told in a file, and writes down what it was asked. */
  helper(): void {
    const kept = join(this.dir, 'kept');
    const program = join(this.dir, 'docker-credential-test');
    writeFileSync(
      program,
      `#!/bin/sh
echo "$@" >> ${this.log}
case $1 in
  store) cat > ${kept};;
  get) cat > /dev/null; [ -e ${kept} ] && cat ${kept} && exit; echo "credentials not found in native keychain"; exit 1;;
  erase) cat > /dev/null; rm -f ${kept};;
esac
`,
    );
    chmodSync(program, 0o755);
  }
}

function said(t: ExecutionContext, result: Result, code: number, stdout: string): void {
  t.is(result.code, code, result.stderr);
  t.is(result.stdout, stdout);
  for (const text of [result.stdout, result.stderr])
    t.false(text.includes(password), 'the password is nowhere');
}

test.serial('a password from stdin is verified, kept as Docker keeps it, used, and forgotten', async (t) => {
  const home = new Home({ credHelpers: { other: 'x' }, mine: { is: ['kept'] } });
  const { host } = registry;
  await store.ok('run', '--name', 'made', '--network', 'none', 'busybox', 'true');
  await store.ok('tag', 'busybox', `${host}/app:1`);
  t.regex(
    (await home.run(['push', `${host}/app:1`])).stderr,
    /no basic auth credentials|unauthorized|log in/,
  );

  const login = await home.run(['login', '-u', username, '--password-stdin', host], `${password}\n`);
  said(t, login, 0, 'Login Succeeded\n');
  t.regex(
    login.stderr,
    /^\nWARNING! Your credentials are stored unencrypted in '.*config\.json'\.\nConfigure a cred/,
  );
  t.deepEqual(home.config, {
    credHelpers: { other: 'x' },
    mine: { is: ['kept'] },
    auths: { [host]: { auth: Buffer.from(`${username}:${password}`).toString('base64') } },
  });
  t.is(statSync(home.file).mode & 0o777, 0o600);
  t.is((await home.run(['push', `${host}/app:1`])).code, 0);
  t.is((await home.run(['pull', '-q', `${host}/app:1`])).code, 0);

  const again = await home.run(['login', `http://${host}/v2/`]);
  said(t, again, 0, 'Login Succeeded\n');
  t.is(again.stderr, `Authenticating with existing credentials... [Username: ${username}]\n`);

  said(t, await home.run(['logout', host]), 0, `Removing login credentials for ${host}\n`);
  t.deepEqual(home.config.auths, {});
  said(t, await home.run(['logout', host]), 0, `Removing login credentials for ${host}\n`);
  t.is((await home.run(['pull', '-q', `${host}/app:1`])).code, 1);
});

test.serial('a wrong password is kept nowhere', async (t) => {
  const home = new Home();
  const result = await home.run(['login', '-u', username, '--password-stdin', registry.host], 'wrong');
  t.is(result.code, 1);
  t.regex(result.stderr, /login attempt to http:\/\/\S+\/v2\/ failed with status: 401 Unauthorized/);
  t.throws(() => home.config, { code: 'ENOENT' });
});

test.serial('a credential helper has it, by its stdin, and config.json says only that', async (t) => {
  const home = new Home({ credsStore: 'test' });
  home.helper();
  const { host } = registry;
  const login = await home.run(['login', '-u', username, '--password-stdin', host], password);
  said(t, login, 0, 'Login Succeeded\n');
  t.is(login.stderr, '');
  t.deepEqual(home.config, { credsStore: 'test', auths: { [host]: {} } });
  t.is((await home.run(['pull', '-q', `${host}/app:1`])).code, 0);
  said(t, await home.run(['logout', host]), 0, `Removing login credentials for ${host}\n`);
  t.deepEqual(home.config, { credsStore: 'test', auths: {} });
  t.is((await home.run(['pull', '-q', `${host}/app:1`])).code, 1);
  t.false(readFileSync(home.log, 'utf8').includes(password), 'no secret among the arguments');
});

test.serial('a damaged config.json stays as it is, and so does one behind a link', async (t) => {
  const home = new Home();
  writeFileSync(home.file, `{"auths": {"x": {"auth": "${password}"`);
  const result = await home.run(
    ['--debug', 'login', '-u', username, '--password-stdin', registry.host],
    password,
  );
  said(t, result, 1, '');
  t.regex(result.stderr, /config\.json: cannot be read: not valid JSON/);
  t.true(readFileSync(home.file, 'utf8').startsWith('{"auths": {"x"'));

  const linked = new Home();
  const target = join(linked.dir, 'target.json');
  writeFileSync(target, '{"kept":1}');
  symlinkSync('target.json', linked.file);
  t.is((await linked.run(['login', '-u', username, '--password-stdin', registry.host], password)).code, 0);
  t.is(JSON.parse(readFileSync(target, 'utf8')).kept, 1);
  t.is(typeof linked.config.auths, 'object');
});

test.serial('at a terminal it asks, and shows no password; ctrl-c ends it', async (t) => {
  const home = new Home();
  const env = { ...store.environment(), DOCKER_CONFIG: home.dir };
  const terminal = new Terminal(`${TSRUN} login ${registry.host}; echo "code $?"; exec sleep 100`, { env });
  t.teardown(() => terminal.end());
  await terminal.waitFor(/Username: /);
  terminal.type(username);
  terminal.press('Enter');
  await terminal.waitFor(/Password: /);
  terminal.type(`${password}xx`);
  terminal.press('BSpace', 'BSpace', 'Enter');
  const screen = await terminal.waitFor(/code \d/);
  t.regex(screen, /Login Succeeded\ncode 0/);
  t.false(screen.includes(password.slice(0, 4)), screen);

  const again = new Terminal(`${TSRUN} login -u me reg.invalid; echo "code $?"; exec sleep 100`, { env });
  t.teardown(() => again.end());
  await again.waitFor(/Password: /);
  again.press('C-c');
  t.regex(await again.waitFor(/code \d/), /code 130/);
});
