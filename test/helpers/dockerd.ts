/** A real dockerd with private state in mount and network namespaces of its own. */
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { boundingSet, CAPABILITIES } from '../../src/host/capabilities.js';
import { type Result, run } from './cli.js';

export interface Docker {
  /** The client with its --host, for others to run. */
  readonly command: string[];
  docker(args: string[], input?: Uint8Array): Promise<Result>;
  stop(): Promise<void>;
}

/**
 * `network`: with a bridge and its rules in the daemon's network namespace (the caller's own, then); 'none': in the caller's
 * network namespace, too, but it makes nothing there. `dir`: for its state, in place of a temporary one.
 */
export async function startDocker(
  options: { network?: boolean | 'none'; dir?: string } = {},
): Promise<Docker> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'tsrun-dockerd-'));
  mkdirSync(dir, { recursive: true });
  const cgroup = `tsrun-dockerd-${process.pid}-${basename(dir)}`;
  const host = `unix://${join(dir, 'docker.sock')}`;
  const args = [
    ...['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec'), '--pidfile', join(dir, 'pid')],
    ...['--host', host, '--storage-driver', 'overlay2'],
    ...(options.network === true
      ? []
      : ['--bridge', 'none', '--iptables=false', '--ip-masq=false', '--ip-forward=false']),
    ...['--cgroup-parent', `/${cgroup}`],
  ];
  const isolation = ['-m', '-p', '-f', '--kill-child', '--mount-proc', ...(options.network ? [] : ['-n'])];
  // Not a pipe: the daemon stands still when its log can't be written, and who reads it may be in spawnSync.
  const log = openSync(join(dir, 'log'), 'a+');
  const env = { ...process.env, PATH: `${runcWithin(dir)}:${process.env.PATH}` };
  const child = spawn('unshare', [...isolation, 'dockerd', ...args], { stdio: ['ignore', log, log], env });
  closeSync(log);
  const docker = (words: string[], input?: Uint8Array) =>
    run('docker', ['--host', host, ...words], { input });
  const deadline = Date.now() + 60_000;
  while ((await docker(['version'])).code !== 0) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`dockerd did not start:\n${readFileSync(join(dir, 'log'), 'utf8').slice(-4000)}`);
    await delay(100);
  }
  return {
    command: ['docker', '--host', host],
    docker,
    stop: async () => {
      const closed = new Promise((done) => child.once('close', done));
      // unshare's --kill-child ends dockerd, PID 1 of its namespace, and with it everything it started.
      child.kill('SIGKILL');
      await closed;
      removeCgroups(cgroup);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/**
 * A directory with a `runc` for dockerd: `--privileged` asks for all capabilities there are, and runc fails for one that is
 * not in our own bounding set. That one is taken out of its orders.
 */
function runcWithin(dir: string): string {
  const bin = join(dir, 'bin');
  mkdirSync(bin, { recursive: true });
  const own = boundingSet(readFileSync('/proc/self/status', 'utf8'));
  const missing = CAPABILITIES.filter((name) => !own.includes(name));
  if (missing.length === 0) return bin;
  // The list has more behind each of them, so that a comma follows.
  const take = missing.map((name) => `-e 's/"${name}",//g'`).join(' ');
  const script = `#!/bin/sh
previous=
for word; do
  orders=
  case $previous in --bundle) orders=$word/config.json;; --process) orders=$word;; esac
  [ -n "$orders" ] && grep -q ${missing[0]} "$orders" && sed -i ${take} "$orders"
  previous=$word
done
exec ${execFileSync('sh', ['-c', 'command -v runc'], { encoding: 'utf8' }).trim()} "$@"
`;
  writeFileSync(join(bin, 'runc'), script, { mode: 0o755 });
  return bin;
}

/** The daemon's parents below every hierarchy: it leaves them behind. */
function removeCgroups(name: string): void {
  for (const hierarchy of ['.', ...readdirSync('/sys/fs/cgroup')]) {
    const path = join('/sys/fs/cgroup', hierarchy, name);
    if (existsSync(path)) rmdirSync(path);
  }
}
