/**
 * What the VM is made of, from Debian's packages: a kernel, an initramfs that mounts the root disk, the root disk (a minimal
 * Debian, Node, the node_modules), and a disk with this project. All but the last are kept in the cache of the fixtures.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../../rootfs-fixtures/archive.js';
import { cached, debianBase, FIXTURES } from '../../rootfs-fixtures/debian.js';

/** Of a running VM; paths of files. */
export interface Disks {
  kernel: string;
  initramfs: string;
  root: string;
}

/** In this order: each needs those before it. */
const BOOT_MODULES = [
  'virtio_ring',
  'virtio',
  'virtio_pci_modern_dev',
  'virtio_pci_legacy_dev',
  'virtio_pci',
  'virtio_blk',
];
/** Only needed to write, lint and build the project. */
const LEFT_OUT = ['@biomejs', 'clang-format', 'typescript', 'node-gyp', '.cache'];
/** What tests and tsrun run beside the minimal Debian's own: the network of containers, extended attributes. */
const PACKAGES = [
  'nftables',
  'libnftables1',
  'libnftnl11',
  'libmnl0',
  'libjansson4',
  'libedit2',
  'libbsd0',
  'libgmp10',
  'libxtables12',
  'attr',
];
const MORE = ['iproute2', 'libelf1', 'libbpf1', 'libcap2-bin', 'libcap2'];

function inTemporary<T>(body: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-vm-'));
  try {
    return body(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The unpacked package of the newest cloud kernel of this Debian. */
function kernelTree(): string {
  const depends = run('apt-cache', ['depends', 'linux-image-cloud-amd64']);
  const name = /Depends: (linux-image-\S+-cloud-amd64)/.exec(depends)?.[1];
  if (name === undefined) throw new Error('apt knows no linux-image-cloud-amd64: run apt-get update');
  return cached(`vm-${name}`, (out) =>
    inTemporary((dir) => {
      run('apt-get', ['download', '-qq', name], { cwd: dir });
      run('dpkg-deb', ['-x', join(dir, readdirSync(dir)[0] ?? ''), out]);
      run('busybox', ['depmod', '-b', out, versionOf(out)]);
    }),
  );
}

function versionOf(tree: string): string {
  return readdirSync(join(tree, 'lib/modules'))[0] ?? '';
}

const INIT = `#!/bin/sh
mount -t proc proc /proc
mount -t devtmpfs dev /dev
for module in ${BOOT_MODULES.join(' ')}; do insmod /$module.ko || :; done
until [ -b /dev/vda ]; do :; done
mount -t ext4 /dev/vda /root
umount /proc
exec switch_root /root /vm/init
`;

function initramfs(tree: string): string {
  return cached(`vm-initramfs-${versionOf(tree)}-${hash(INIT)}`, (out) =>
    inTemporary((dir) => {
      for (const name of ['bin', 'dev', 'proc', 'root']) mkdirSync(join(dir, name));
      copyFileSync('/bin/busybox', join(dir, 'bin/busybox'));
      for (const name of ['sh', 'mount', 'umount', 'insmod', 'switch_root'])
        symlinkSync('busybox', join(dir, 'bin', name));
      writeFileSync(join(dir, 'init'), INIT, { mode: 0o755 });
      const drivers = join(tree, 'lib/modules', versionOf(tree), 'kernel/drivers');
      for (const name of BOOT_MODULES) {
        const file = run('find', [drivers, '-name', `${name}.ko`]).trim();
        if (file !== '') copyFileSync(file, join(dir, `${name}.ko`));
      }
      execFileSync('sh', ['-ec', `find . | cpio --quiet -o -H newc | gzip -1 > ${out}`], { cwd: dir });
    }),
  );
}

function hash(...texts: (string | Buffer)[]): string {
  const sum = createHash('sha256');
  for (const text of texts) sum.update(text);
  return sum.digest('hex').slice(0, 12);
}

function put(root: string, path: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
  chmodSync(join(root, path), mode);
}

function rootDisk(tree: string): string {
  const guest = readFileSync('test/vm/guest.sh');
  const key = hash(
    readFileSync('package-lock.json'),
    guest,
    process.version,
    versionOf(tree),
    [...PACKAGES, ...MORE].join(),
  );
  return cached(`vm-root-${key}.img`, (out) =>
    inTemporary((dir) => {
      const root = join(dir, 'root');
      mkdirSync(root);
      run('tar', ['-C', root, '-xf', debianBase()]);
      const debs = join(dir, 'debs');
      mkdirSync(debs);
      run('apt-get', ['download', '-qq', ...PACKAGES, ...MORE], { cwd: debs });
      // Over the merged /usr: dpkg-deb -x would put a directory in the place of the link /lib.
      for (const name of readdirSync(debs))
        execFileSync('sh', [
          '-ec',
          `dpkg-deb --fsys-tarfile ${join(debs, name)} | tar -C ${root} --keep-directory-symlink -xf -`,
        ]);
      copyFileSync(process.execPath, join(root, 'usr/bin/node'));
      copyFileSync('/bin/busybox', join(root, 'usr/bin/busybox'));
      for (const name of ['modprobe', 'insmod', 'poweroff', 'reboot'])
        symlinkSync('../bin/busybox', join(root, 'usr/sbin', name));
      cpSync(join(tree, 'lib/modules'), join(root, 'usr/lib/modules'), { recursive: true });
      put(root, 'vm/init', guest.toString(), 0o755);
      for (const name of ['tsrun', 'opt']) mkdirSync(join(root, name), { recursive: true });
      // An ordinary user, with ids of its own to hand out.
      for (const [file, line] of Object.entries({
        passwd: 'user:x:1000:1000::/home/user:/bin/bash',
        group: 'user:x:1000:',
        subuid: 'user:100000:65536',
        subgid: 'user:100000:65536',
      })) {
        const path = join(root, 'etc', file);
        put(root, `etc/${file}`, `${existsSync(path) ? readFileSync(path, 'utf8') : ''}${line}\n`);
      }
      put(root, 'etc/hosts', '127.0.0.1 localhost\n');
      mkdirSync(join(root, 'home/user'));
      cpSync('node_modules', join(root, 'opt/node_modules'), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => !LEFT_OUT.some((name) => path === join('node_modules', name)),
      });
      makeDisk(root, out, '3G');
    }),
  );
}

/** An ext4 disk of what is in `dir`. */
export function makeDisk(dir: string, out: string, size: string): void {
  run('truncate', ['-s', size, out]);
  run('mkfs.ext4', ['-q', '-F', '-E', 'root_owner=0:0', '-d', dir, out]);
}

const PROJECT = [
  'bin',
  'build/Release',
  'cli',
  'dist',
  'docs',
  'native',
  'rootfs-fixtures',
  'scripts',
  'src',
  'test',
];

/** This project as it stands and is built, and the script that the VM runs in it. */
export function projectDisk(out: string, script: string): void {
  inTemporary((dir) => {
    for (const name of PROJECT)
      cpSync(name, join(dir, name), {
        recursive: true,
        filter: (path) => !/\/(obj\.target|\.cache|\.deps)$/.test(path),
      });
    for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'README.md', 'ARCHITECTURE.md'])
      copyFileSync(name, join(dir, name));
    symlinkSync('/opt/node_modules', join(dir, 'node_modules'));
    mkdirSync(join(dir, 'fixtures'));
    for (const name of readdirSync(FIXTURES).filter((file) => /^(attacker|profile)-\w+$/.test(file)))
      copyFileSync(join(FIXTURES, name), join(dir, 'fixtures', name));
    put(dir, 'vm-script', script, 0o755);
    makeDisk(dir, out, '512M');
  });
}

/** Installs qemu where it is missing. */
export function requireEmulator(): void {
  if (spawnSync('qemu-system-x86_64', ['--version']).status === 0) return;
  run('apt-get', [
    '-qq',
    '-o',
    'DPkg::Lock::Timeout=600',
    'install',
    '-y',
    '--no-install-recommends',
    'qemu-system-x86',
    'cpio',
  ]);
}

export function vmDisks(): Disks {
  const tree = kernelTree();
  return {
    kernel: join(tree, 'boot', `vmlinuz-${versionOf(tree)}`),
    initramfs: initramfs(tree),
    root: rootDisk(tree),
  };
}
