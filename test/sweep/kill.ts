/**
 * The kill sweep: a verb is run again and again, and each time a process of it is killed at its next system call of a kind:
 * the CLI, or the monitor and every other process of the helper. After each death the next commands work and nothing is left.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Store } from '../helpers/cli.js';
import { leaksOf, linkNames } from '../helpers/leaks.js';
import { type Fault, Shadow } from './shadow.js';

export type Role = 'cli' | 'helper';

/** What is killed at: whatever changes something that outlives the process, or that somebody else waits for. */
export const CALLS: Record<Role, readonly string[]> = {
  cli: [
    'rename',
    'renameat2',
    'link',
    'mkdir',
    'unlink',
    'rmdir',
    'fsync',
    'syncfs',
    'fcntl',
    'vfork',
    'write',
  ],
  helper: [
    ...['rename', 'mkdir', 'unlink', 'unlinkat', 'rmdir', 'fsync', 'ftruncate', 'fcntl', 'write', 'pwrite64'],
    ...[
      'clone3',
      'clone',
      'vfork',
      'setns',
      'unshare',
      'execve',
      'pidfd_send_signal',
      'socket',
      'bind',
      'sendto',
    ],
    ...[
      'sendmsg',
      'fsopen',
      'fsmount',
      'move_mount',
      'open_tree',
      'mount',
      'pivot_root',
      'umount2',
      'openat2',
    ],
  ],
};

/** A verb in the sweep. `before` runs unharmed; `container` is the one whose monitor is there by then. */
export interface Scenario {
  before: string[][];
  container?: string;
  command: string[];
}

const RUN = ['run', '-d', '--name', 'c1', '-v', 'data:/data', '-v', '/anonymous', 'busybox', 'sleep', '1000'];
/** Ends on SIGTERM, and at once. */
const POLITE = [...RUN.slice(0, -2), 'sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done'];
const STOPPED = [...RUN.slice(0, 1), ...RUN.slice(2, -2), 'sh', '-c', 'echo kept > /file'];

export const SCENARIOS: Record<string, Scenario> = {
  run: { before: [], command: RUN },
  'run --rm': { before: [], command: ['run', '--rm', '--name', 'c1', '-v', '/anonymous', 'busybox', 'true'] },
  create: { before: [], command: ['create', '--name', 'c1', '-v', 'data:/data', 'busybox'] },
  start: { before: [['create', '--name', 'c1', 'busybox', 'sleep', '1000']], command: ['start', 'c1'] },
  stop: { before: [POLITE], container: 'c1', command: ['stop', 'c1'] },
  kill: { before: [RUN], container: 'c1', command: ['kill', 'c1'] },
  restart: { before: [POLITE], container: 'c1', command: ['restart', 'c1'] },
  rm: { before: [STOPPED], command: ['rm', '-v', 'c1'] },
  'rm -f': { before: [RUN], container: 'c1', command: ['rm', '-fv', 'c1'] },
  exec: { before: [RUN], command: ['exec', 'c1', 'echo', 'hello'] },
  commit: { before: [STOPPED], command: ['commit', 'c1', 'test/committed'] },
  'commit of a running': { before: [RUN], container: 'c1', command: ['commit', 'c1', 'test/committed'] },
  rmi: {
    before: [STOPPED, ['commit', 'c1', 'test/committed'], ['rm', 'c1']],
    command: ['rmi', 'test/committed'],
  },
  load: { before: [], command: ['load', '-i', 'dist/busybox.tar'] },
};

export class KillSweep {
  readonly store: Store;
  readonly shadow: Shadow;
  readonly #dir = mkdtempSync(join(tmpdir(), 'tsrun-sweep-'));

  constructor(env: Record<string, string> = {}) {
    this.shadow = new Shadow(join(this.#dir, 'package'));
    this.store = new Store({ UV_THREADPOOL_SIZE: '1', ...env }, this.shadow.program);
  }

  async prepare(): Promise<void> {
    await this.store.ok('run', '--rm', 'busybox', 'true');
    const left = await this.#left();
    if (left.length > 0) throw new Error(`not clean before the sweep:\n${left.join('\n')}`);
  }

  async close(): Promise<void> {
    await this.store.destroy();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** One death. False: there was none, the verb makes fewer calls of this kind. @throws Error that says what is broken after it. */
  async die(scenario: Scenario, role: Role, fault: Fault): Promise<boolean> {
    for (const args of scenario.before) await this.store.ok(...args);
    const { shadow, store } = this;
    if (role === 'helper') {
      shadow.arm(fault, scenario.container === undefined ? [] : [await this.#monitor(scenario.container)]);
      await store.tsrun(scenario.command);
      shadow.disarm();
    } else {
      const [file, args] = shadow.straced(fault, scenario.command);
      // The tracer lives as long as the container: nothing of ours may wait for the fds that it has.
      const child = spawn(file, args, { stdio: 'ignore', env: { ...process.env, ...store.environment() } });
      await once(child, 'exit');
    }
    const reached = shadow.reached(fault) >= fault.when;
    await this.#check();
    return reached;
  }

  async #monitor(name: string): Promise<number> {
    const pid = (await this.store.ok('inspect', '-f', '{{.State.Pid}}', name)).trim();
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  }

  /** The next commands work, and when they have removed what there was, nothing is left. */
  async #check(): Promise<void> {
    const { store } = this;
    await store.ok('images');
    const ids = (await store.ok('ps', '-aq', '--no-trunc')).split('\n').filter(Boolean);
    for (const id of ids) await store.ok('rm', '-fv', id);
    await store.ok('run', '--rm', '--name', 'c1', 'busybox', 'true');
    const { stdout } = await store.tsrun(['images', '-q', 'test/committed']);
    if (stdout !== '') await store.ok('rmi', '-f', 'test/committed');
    await store.ok('volume', 'prune', '-f', '-a');
    const left = await this.#left();
    if (left.length > 0) throw new Error(`left behind:\n${left.join('\n')}`);
  }

  async #left(): Promise<string[]> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const left = [...leaksOf(this.store.root), ...ofTheNamespace(), ...ofTheStore(this.store.root)];
      if (left.length === 0 || Date.now() > deadline) return left;
      await delay(20);
    }
  }
}

/** The sweep has a network namespace of its own: whatever is there besides the loopback, and every helper in it, is of ours. */
function ofTheNamespace(): string[] {
  const links = linkNames().filter((name) => name !== 'lo');
  const own = readlinkSync('/proc/self/ns/net');
  const leases = '/run/tsrun/net';
  const state = existsSync(leases)
    ? readdirSync(leases).filter((name) => name.endsWith(`-${statSync('/proc/self/ns/net').ino}`))
    : [];
  const helpers = readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return /^tsrun:\[|tsrun-runtime/.test(title) && readlinkSync(`/proc/${pid}/ns/net`) === own;
    } catch {
      return false; // it ended meanwhile
    }
  });
  return [
    ...links.map((name) => `link ${name}`),
    ...state.map((name) => `network state ${name}`),
    ...helpers.map((pid) => `process ${pid}`),
  ];
}

/** Names, volumes and containers are gone with the containers. */
function ofTheStore(root: string): string[] {
  return ['names', 'containers', 'volumes', 'oci/ingest'].flatMap((name) =>
    existsSync(join(root, name))
      ? readdirSync(join(root, name)).map((entry) => `entry ${name}/${entry}`)
      : [],
  );
}
