/** The other tools that images go to and come from, each with a store of its own. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './cli.js';
import { type Docker, startDocker } from './dockerd.js';
import { treeOf } from './tree.js';

/** How an image travels. Archives are files, a layout is a directory `DIR:TAG`. */
export type Channel = 'registry' | 'docker-archive' | 'oci-archive' | 'layout';

/** Where an image is: a reference of a registry, a file, a directory; and the name that it has in there. */
export interface Place {
  channel: Channel;
  path: string;
  /** Familiar: "test/rich:1" */
  name: string;
}

export interface Partner {
  readonly name: string;
  /** What it can speak at all. */
  readonly channels: readonly Channel[];
  receive(from: Place): Promise<void>;
  /** Of the image that it has received. */
  tree(): Promise<string[]>;
  diffIds(): Promise<string[]>;
  send(to: Place): Promise<void>;
  /** Changes something (a file less, one changed, one more) and sends that, as one more layer of its own making. */
  sendChanged?(to: Place): Promise<void>;
  /** Forgets the image and its layers. */
  forget(): Promise<void>;
  stop(): Promise<void>;
}

async function ok(command: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command, [...args]);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${code}\n${stderr}`);
  return stdout.trim();
}

/** In the words of containers/image: "docker://host/app:1", "oci:DIR:TAG". */
function transport({ channel, path, name }: Place): string {
  if (channel === 'registry') return `docker://${path}`;
  if (channel === 'layout') return `oci:${path}:docker.io/${name}`;
  return `${channel}:${path}:docker.io/${name}`;
}

/** docker 20.10: the registry, and archives of its own form. */
export async function dockerPartner(dir: string): Promise<Partner> {
  const daemon: Docker = await startDocker({ network: 'none', dir });
  const docker = async (...args: string[]) => {
    const { code, stdout, stderr } = await daemon.docker(args);
    if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  };
  let image = '';
  return {
    name: 'docker',
    channels: ['registry', 'docker-archive'],
    receive: async ({ channel, path, name }) => {
      await (channel === 'registry' ? docker('pull', '-q', path) : docker('load', '-i', path));
      image = channel === 'registry' ? path : name;
    },
    tree: async () => {
      const { LowerDir = '', UpperDir } = JSON.parse(
        await docker('inspect', '-f', '{{json .GraphDriver.Data}}', image),
      );
      const mount = 'mkdir "$2" && mount -t overlay overlay -o "lowerdir=$1" "$2" && echo "$2"';
      const at = join(UpperDir, '../../view');
      const lines = await treeOf(mount, [[UpperDir, ...LowerDir.split(':')].filter(Boolean).join(':'), at]);
      rmSync(at, { recursive: true });
      return lines;
    },
    diffIds: async () => JSON.parse(await docker('inspect', '-f', '{{json .RootFS.Layers}}', image)),
    send: async ({ channel, path, name }) => {
      const target = channel === 'registry' ? path : name;
      await docker('tag', image, target);
      await (channel === 'registry' ? docker('push', '-q', path) : docker('save', '-o', path, name));
      if (target !== image) await docker('rmi', target);
    },
    forget: async () => void (await docker('rmi', image)),
    stop: daemon.stop,
  };
}

/** podman and buildah: the same store, other programs. */
function containersStorage(dir: string): string[] {
  return ['--root', join(dir, 'root'), '--runroot', join(dir, 'run'), '--storage-driver', 'overlay'];
}

export function podmanPartner(dir: string): Partner {
  const podman = ['podman', ...containersStorage(dir)];
  const inspected = async (format: string) =>
    ok('unshare', ['-m', ...podman, 'inspect', '-f', format, image]);
  let image = '';
  return {
    name: 'podman',
    channels: ['registry', 'docker-archive', 'oci-archive', 'layout'],
    receive: async (from) => {
      const archive = from.channel.endsWith('archive');
      const args = archive
        ? ['load', '-q', '-i', from.path]
        : ['pull', '-q', ...(from.channel === 'registry' ? ['--tls-verify=false'] : []), transport(from)];
      const said = await ok('unshare', ['-m', ...podman, ...args]);
      image = said.split(/\s/).at(-1) ?? '';
    },
    tree: () => treeOf(`${podman.join(' ')} image mount "$1"`, [image]),
    diffIds: async () => JSON.parse(await inspected('{{json .RootFS.Layers}}')),
    send: async (to) => {
      await ok('unshare', ['-m', ...podman, 'push', '-q', '--tls-verify=false', image, transport(to)]);
    },
    forget: async () => void (await ok('unshare', ['-m', ...podman, 'rmi', '-f', image])),
    stop: async () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Makes a file go, changes one and adds one, in the tree at $at. */
const CHANGE =
  'rm "$at/base/fifo"; echo more >> "$at/base/file"; mkdir -m 2750 "$at/added"; ln "$at/base/file" "$at/added/link"';

export function buildahPartner(dir: string): Partner {
  const buildah = ['buildah', ...containersStorage(dir)];
  const shell = (script: string, ...words: string[]) =>
    ok('unshare', [
      '-m',
      'sh',
      '-ec',
      script.replaceAll('buildah ', `${buildah.join(' ')} `),
      'sh',
      ...words,
    ]);
  let image = '';
  return {
    name: 'buildah',
    channels: ['registry', 'docker-archive', 'oci-archive', 'layout'],
    receive: async (from) => {
      image = await shell('buildah pull -q --tls-verify=false "$1"', transport(from));
    },
    tree: () =>
      treeOf(`c=$(${buildah.join(' ')} from --pull-never "$1") && ${buildah.join(' ')} mount "$c"`, [image]),
    diffIds: async () =>
      JSON.parse(await shell('buildah inspect --type image "$1"', image)).OCIv1.rootfs.diff_ids,
    send: async (to) => {
      await shell('buildah push -q --tls-verify=false "$1" "$2"', image, transport(to));
    },
    sendChanged: async (to) => {
      await shell(
        `c=$(buildah from --pull-never "$1"); at=$(buildah mount "$c"); ${CHANGE}; buildah commit -q --tls-verify=false "$c" "$2"`,
        image,
        transport(to),
      );
    },
    forget: async () => void (await shell('buildah rm -a >&2; buildah rmi -f "$1"', image)),
    stop: async () => rmSync(dir, { recursive: true, force: true }),
  };
}

const LAYOUT_TAG = 'mine';

/** Has no store: what it gets lies in an OCI layout, and umoci unpacks it to be looked at. */
export function skopeoPartner(dir: string): Partner {
  mkdirSync(dir, { recursive: true });
  const own = `oci:${join(dir, 'layout')}:${LAYOUT_TAG}`;
  const copy = (from: string, to: string) =>
    ok('skopeo', ['copy', '-q', '--src-tls-verify=false', '--dest-tls-verify=false', from, to]);
  const umoci = umociStore(dir);
  return {
    name: 'skopeo',
    channels: ['registry', 'docker-archive', 'oci-archive', 'layout'],
    receive: async (from) => void (await copy(transport(from), own)),
    tree: umoci.tree,
    diffIds: umoci.diffIds,
    send: async (to) => void (await copy(own, transport(to))),
    forget: async () => rmSync(join(dir, 'layout'), { recursive: true }),
    stop: async () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Speaks OCI layouts alone; skopeo moves the image between two of them. */
export function umociPartner(dir: string): Partner {
  const skopeo = skopeoPartner(dir);
  const umoci = umociStore(dir);
  return {
    ...skopeo,
    name: 'umoci',
    channels: ['layout'],
    sendChanged: async (to) => {
      const bundle = join(dir, 'changed');
      const image = `${join(dir, 'layout')}:${LAYOUT_TAG}`;
      await umoci.unpack(bundle);
      await ok('sh', ['-ec', `at=$1/rootfs; ${CHANGE}`, 'sh', bundle]);
      await ok('umoci', ['repack', '--image', image, bundle]);
      rmSync(bundle, { recursive: true });
      await skopeo.send(to);
    },
  };
}

function umociStore(dir: string) {
  const layout = join(dir, 'layout');
  const unpack = (bundle: string) => ok('umoci', ['unpack', '--image', `${layout}:${LAYOUT_TAG}`, bundle]);
  return {
    unpack,
    tree: async () => {
      const bundle = join(dir, 'bundle');
      await unpack(bundle);
      const lines = await treeOf('echo "$1"', [join(bundle, 'rootfs')]);
      rmSync(bundle, { recursive: true });
      return lines;
    },
    diffIds: async (): Promise<string[]> =>
      JSON.parse(await ok('skopeo', ['inspect', '--config', `oci:${layout}:${LAYOUT_TAG}`])).rootfs.diff_ids,
  };
}
