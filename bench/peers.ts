/** Whom tsrun is compared with, each with a store of its own, on images from one registry. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ubuntuArchive } from '../rootfs-fixtures/debian.js';
import { run, Store, TSRUN } from '../test/helpers/cli.js';
import { startDocker } from '../test/helpers/dockerd.js';
import { type Registry, startRegistry } from '../test/helpers/registry.js';

export interface Peer {
  readonly name: 'tsrun' | 'podman' | 'docker';
  command(...args: string[]): string[];
  /** Flags of every `run` and `create`. */
  readonly flags: readonly string[];
}

export interface Peers {
  readonly dir: string;
  readonly tsrun: Peer;
  readonly podman: Peer;
  readonly docker: Peer;
  readonly all: readonly Peer[];
  /** A Debian of two layers, in the registry. */
  readonly image: string;
  readonly registry: Registry;
  readonly store: Store;
  close(): Promise<void>;
}

export async function openPeers(): Promise<Peers> {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-bench-'));
  const registry = await startRegistry();
  registry.push(ubuntuArchive(), 'docker.io/library/ubuntu:latest', 'library/ubuntu:latest');
  const dockerd = await startDocker({ network: true });
  const store = new Store({ TSRUN_CERTS_DIR: registry.certsDir });
  process.env.TSRUN_ROOT = store.root;
  process.env.TSRUN_CERTS_DIR = registry.certsDir;
  const roots = ['--root', join(dir, 'podman'), '--runroot', join(dir, 'podman-run')];
  const runtime = ['--runtime', 'runc', '--cgroup-manager', 'cgroupfs'];
  const tsrun: Peer = { name: 'tsrun', command: (...args) => [TSRUN, ...args], flags: [] };
  const podman: Peer = {
    name: 'podman',
    command: (...args) => ['podman', ...roots, ...runtime, ...args],
    // It raises RLIMIT_NOFILE, which takes CAP_SYS_RESOURCE: these limits can be had without.
    flags: ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'],
  };
  const docker: Peer = { name: 'docker', command: (...args) => [...dockerd.command, ...args], flags: [] };
  return {
    dir,
    tsrun,
    podman,
    docker,
    all: [tsrun, podman, docker],
    image: `${registry.host}/library/ubuntu:latest`,
    registry,
    store,
    close: async () => {
      await store.destroy();
      quietly(podman.command('rm', '-af', '-t', '0'));
      await dockerd.stop();
      registry.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export async function loadBusybox({ all }: Peers): Promise<void> {
  for (const peer of all) await must(peer.command('load', '-q', '-i', resolve('dist/busybox.tar')));
}

export async function must(command: string[]): Promise<void> {
  const [file = '', ...args] = command;
  const result = await run(file, args);
  if (result.code !== 0) throw new Error(`${command.join(' ')}: exit ${result.code}\n${result.stderr}`);
}

export function quietly(command: string[]): void {
  const [file = '', ...args] = command;
  spawnSync(file, args, { stdio: 'ignore' });
}
