/** The verbs that move images, beside docker and podman. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../rootfs-fixtures/archive.js';
import { makeBusyboxRoot } from '../rootfs-fixtures/busybox.js';
import { vimPackages } from '../rootfs-fixtures/debian.js';
import { measure, type Row } from './measure.js';
import { must, type Peer, type Peers, quietly } from './peers.js';

/** podman wants to be told that the registry speaks plain http. */
const plain = ({ name }: Peer): string[] => (name === 'podman' ? ['--tls-verify=false'] : []);
const IMAGE = 'test/vim';

export function benchPull({ all, image }: Peers, rounds: number): Row[] {
  return measure(
    all.map((peer) => ({
      name: `\`${peer.name} pull\``,
      command: peer.command('pull', '-q', ...plain(peer), image),
      before: () => quietly(peer.command('rmi', '-f', image)),
    })),
    rounds,
  );
}

/** A container in which vim was installed, by dpkg from the packages that apt would fetch. Leaves the image of it. */
export async function benchCommit({ all, image }: Peers, rounds: number): Promise<Row[]> {
  const install = ['-v', `${vimPackages()}:/debs:ro`, image, 'sh', '-c', 'dpkg -i /debs/*.deb'];
  for (const { command, flags } of all)
    await must(command('run', ...flags, '--name', 'vim', '--network', 'none', ...install));
  const rows = measure(
    all.map(({ name, command }) => ({
      name: `\`${name} commit\``,
      before: () => quietly(command('rmi', '-f', IMAGE)),
      command: command('commit', 'vim', IMAGE),
    })),
    rounds,
  );
  return rows;
}

/** The same image for all: tsrun's. */
export async function benchShared({ all, tsrun, registry }: Peers, rounds: number): Promise<Row[]> {
  const name = `${registry.host}/bench/vim`;
  await must(tsrun.command('tag', IMAGE, name));
  await must(tsrun.command('push', name));
  quietly(tsrun.command('rmi', name));
  for (const { command } of all) await must(command('rmi', '-f', IMAGE));
  const rows = measure(
    all.map((peer) => ({
      name: `\`${peer.name} pull\``,
      command: peer.command('pull', '-q', ...plain(peer), name),
      before: () => quietly(peer.command('rmi', '-f', name)),
    })),
    rounds,
  );
  for (const { command } of all) {
    await must(command('rmi', '-f', name));
    await must(command('commit', 'vim', IMAGE));
  }
  return rows;
}

export async function benchPush({ all, registry }: Peers, rounds: number): Promise<Row[]> {
  const name = `${registry.host}/bench/push`;
  for (const { command } of all) await must(command('tag', IMAGE, name));
  return measure(
    all.map((peer) => ({
      name: `\`${peer.name} push\``,
      before: () => registry.wipe(),
      command: peer.command('push', ...plain(peer), name),
    })),
    rounds,
  );
}

function withArchive<T>(body: (archive: (peer: Peer) => string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-archives-'));
  try {
    return body(({ name }) => join(dir, `${name}.tar`));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export function benchSave({ all }: Peers, rounds: number): Row[] {
  return withArchive((archive) =>
    measure(
      all.map((peer) => ({
        name: `\`${peer.name} save\``,
        command: peer.command('save', '-o', archive(peer), IMAGE),
        // podman refuses to write over a file.
        after: () => rmSync(archive(peer)),
      })),
      rounds,
    ),
  );
}

/** Each loads what docker saved. The container and the base stay, so all that is new is one layer. */
export function benchLoad({ all, docker }: Peers, rounds: number): Row[] {
  return withArchive((archive) => {
    const file = archive(docker);
    quietly(docker.command('save', '-o', file, IMAGE));
    const rows = measure(
      all.map((peer) => ({
        name: `\`${peer.name} load\``,
        before: () => quietly(peer.command('rmi', '-f', IMAGE, `localhost/${IMAGE}`)),
        command: peer.command('load', '-q', '-i', file),
      })),
      rounds,
    );
    rmSync(file);
    return rows;
  });
}

/** A root of 1 GB, which a container changes by one byte in one file of 1 MB. */
export async function benchChange({ all }: Peers, rounds: number): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-big-'));
  const [root, tar] = [join(dir, 'root'), join(dir, 'big.tar')];
  mkdirSync(root);
  makeBusyboxRoot(root);
  run('sh', ['-c', 'mkdir big && head -c 1000000000 /dev/urandom | split -b 1000000 -a 3 - big/'], {
    cwd: root,
  });
  run('tar', ['-cf', tar, '-C', root, '.']);
  rmSync(root, { recursive: true });
  for (const { command, flags } of all) {
    await must(command('import', tar, 'test/big'));
    const change = ['sh', '-c', 'printf x | dd of=/big/aaa bs=1 seek=500000 conv=notrunc 2>/dev/null'];
    await must(command('run', ...flags, '--name', 'big', '--network', 'none', 'test/big', ...change));
  }
  rmSync(dir, { recursive: true });
  return measure(
    all.map(({ name, command }) => ({
      name: `\`${name} commit\``,
      command: command('commit', 'big', 'test/changed'),
      after: () => quietly(command('rmi', '-f', 'test/changed')),
    })),
    rounds,
  );
}
