/** A real dockerd with private state in mount and network namespaces of its own. */
import { spawn } from 'node:child_process';
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
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
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
  const child = spawn('unshare', [...isolation, 'dockerd', ...args], { stdio: ['ignore', log, log] });
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

/** The daemon's parents below every hierarchy: it leaves them behind. */
function removeCgroups(name: string): void {
  for (const hierarchy of ['.', ...readdirSync('/sys/fs/cgroup')]) {
    const path = join('/sys/fs/cgroup', hierarchy, name);
    if (existsSync(path)) rmdirSync(path);
  }
}
