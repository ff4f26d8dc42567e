/**
 * The images of the story test, made from Debian's packages: a base, an `ubuntu` of two layers on it and a `redis` of
 * six, with real whiteouts, an opaque directory and a file capability. Made once and kept in a cache directory.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ArchiveLayer, run, tarDirectory, writeArchive } from './archive.js';
import { makeBusyboxRoot } from './busybox.js';

export const FIXTURES = process.env.TSRUN_FIXTURES ?? join(tmpdir(), 'tsrun-fixtures');

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const REDIS_PACKAGES = [
  'redis-server',
  'redis-tools',
  'liblzf1',
  'libjemalloc2',
  'libatomic1',
  'liblua5.1-0',
  'libssl3',
  'lua-cjson',
];

const VIM_PACKAGES = ['vim', 'vim-common', 'vim-runtime', 'xxd', 'libgpm2', 'libsodium23'];

/** Makes `name` in the cache if it is not there yet; a half-made one never gets the name. */
export function cached(name: string, make: (out: string) => void): string {
  const path = join(FIXTURES, name);
  if (existsSync(path)) return path;
  mkdirSync(FIXTURES, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  make(temporary);
  renameSync(temporary, path);
  return path;
}

function withTemporary<T>(body: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-fixture-'));
  try {
    return body(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The Debian archive that this machine's apt uses. */
export function debianMirror(): string {
  const targets = run('apt-get', [
    'indextargets',
    '--format',
    '$(LABEL) $(REPO_URI)',
    'Created-By: Packages',
  ]);
  const line = targets.split('\n').find((text) => text.startsWith('Debian '));
  if (!line) throw new Error('apt knows no Debian archive: run apt-get update');
  return line.slice('Debian '.length).trim();
}

/** The base: a minimal Debian with apt, as a plain tar (mmdebstrap, about a minute the first time). */
export function debianBase(): string {
  return cached('debian-base.tar', (out) =>
    run('mmdebstrap', [
      '--variant=minbase',
      '--quiet',
      '--format=tar',
      '--aptopt=Acquire::Languages "none"',
      '--dpkgopt=path-exclude=/usr/share/doc/*',
      '--dpkgopt=path-exclude=/usr/share/man/*',
      '--dpkgopt=path-exclude=/usr/share/locale/*',
      'bookworm',
      out,
      debianMirror(),
    ]),
  );
}

/** A layer tar of what `fill` puts into an empty directory. */
function layerOf(name: string, fill: (root: string) => void): string {
  return cached(name, (out) =>
    withTemporary((root) => {
      fill(root);
      tarDirectory(root, out, readdirSync(root).sort());
    }),
  );
}

function put(root: string, path: string, content: string, mode = 0o644): void {
  const target = join(root, path);
  mkdirSync(join(target, '..'), { recursive: true });
  writeFileSync(target, content);
  chmodSync(target, mode);
}

/** A file of the base tar, to be changed by a layer. */
function fromBase(path: string): string {
  return run('tar', ['-xOf', debianBase(), `./${path}`]);
}

function baseLayer(): ArchiveLayer {
  return { path: debianBase(), compression: 'gzip', createdBy: 'mmdebstrap --variant=minbase bookworm' };
}

/** The image `ubuntu`: the base and a layer of its own. */
export function ubuntuArchive(): string {
  return cached('ubuntu.tar', (out) => {
    const motd = layerOf('ubuntu-motd.tar', (root) =>
      put(root, 'etc/motd', 'A Debian that answers to ubuntu.\n'),
    );
    writeArchive(
      {
        layers: [baseLayer(), { path: motd, compression: 'gzip', createdBy: 'COPY motd /etc/motd' }],
        config: { Env: [PATH], Cmd: ['/bin/bash'] },
        tag: 'ubuntu:latest',
        reference: 'docker.io/library/ubuntu:latest',
      },
      out,
    );
  });
}

const ENTRYPOINT = `#!/bin/sh
set -e
[ "\${1#-}" = "$1" ] || set -- redis-server "$@"
exec "$@"
`;

/** The base has /lib -> usr/lib: a layer with a directory /lib would replace that link. dpkg follows it, and so do we. */
function mergeUsr(root: string): void {
  for (const name of ['bin', 'lib', 'sbin'].filter((dir) => existsSync(join(root, dir)))) {
    cpSync(join(root, name), join(root, 'usr', name), { recursive: true });
    rmSync(join(root, name), { recursive: true });
  }
}

function redisLayers(): ArchiveLayer[] {
  const user = layerOf('redis-user.tar', (root) => {
    put(root, 'etc/passwd', `${fromBase('etc/passwd')}redis:x:999:999::/var/lib/redis:/usr/sbin/nologin\n`);
    put(root, 'etc/group', `${fromBase('etc/group')}redis:x:999:\n`);
  });
  const packages = layerOf('redis-packages.tar', (root) =>
    withTemporary((downloads) => {
      run('apt-get', ['download', '-qq', ...REDIS_PACKAGES], { cwd: downloads });
      for (const name of readdirSync(downloads)) run('dpkg-deb', ['-x', join(downloads, name), root]);
      mergeUsr(root);
    }),
  );
  const capability = layerOf('redis-capability.tar', (root) => {
    mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
    copyFileSync('/bin/busybox', join(root, 'usr/local/bin/busybox'));
    chmodSync(join(root, 'usr/local/bin/busybox'), 0o755);
    run('setcap', ['cap_net_raw+ep', join(root, 'usr/local/bin/busybox')]);
  });
  const removal = layerOf('redis-removal.tar', (root) => {
    put(root, 'usr/share/doc/.wh.redis-server', '');
    put(root, 'var/cache/debconf/.wh..wh..opq', '');
    put(root, 'var/cache/debconf/readme', 'nothing from below is left here\n');
  });
  const entrypoint = layerOf('redis-entrypoint.tar', (root) => {
    put(root, 'usr/local/bin/docker-entrypoint.sh', ENTRYPOINT, 0o755);
    mkdirSync(join(root, 'data'));
  });
  return [
    { path: user, compression: 'gzip', createdBy: 'RUN useradd redis' },
    { path: packages, compression: 'zstd', createdBy: 'RUN apt-get install redis-server' },
    { path: capability, compression: 'gzip', createdBy: 'RUN setcap cap_net_raw+ep /usr/local/bin/busybox' },
    {
      path: removal,
      compression: 'none',
      createdBy: 'RUN rm -r /usr/share/doc/redis-server /var/cache/debconf',
    },
    { path: entrypoint, compression: 'gzip', createdBy: 'COPY docker-entrypoint.sh /usr/local/bin/' },
  ];
}

/** The image `redis`: the base and five layers, one of each compression, with whiteouts and a file capability. */
export function redisArchive(): string {
  return cached('redis.tar', (out) =>
    writeArchive(
      {
        layers: [baseLayer(), ...redisLayers()],
        config: {
          Env: [PATH, 'REDIS_VERSION=7'],
          Entrypoint: ['docker-entrypoint.sh'],
          Cmd: ['redis-server'],
          WorkingDir: '/data',
          Volumes: { '/data': {} },
          ExposedPorts: { '6379/tcp': {} },
        },
        tag: 'redis:latest',
        reference: 'docker.io/library/redis:latest',
      },
      out,
    ),
  );
}

/** A directory with the packages that `apt-get install vim` adds to the base. */
export function vimPackages(): string {
  return cached('vim-packages', (out) => {
    mkdirSync(out);
    run('apt-get', ['download', '-qq', ...VIM_PACKAGES], { cwd: out });
  });
}

/** The busybox root as a directory, for tests that need a lower directory and no image. */
export function busyboxRoot(): string {
  return cached('busybox-root', (out) => makeBusyboxRoot(out));
}
