/**
 * The embedded default image: Debian's static busybox with all of its applets.
 *   tsx rootfs-fixtures/busybox.ts OUT.tar
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireFile, tarDirectory, writeArchive } from './archive.js';

const PASSWD = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`;
const GROUP = `root:x:0:
daemon:x:1:
tty:x:5:
www-data:x:33:
users:x:100:
nobody:x:65534:
`;

/** Lays the root directory out below `root`. */
export function makeBusyboxRoot(root: string): void {
  const busybox = requireFile('/bin/busybox', 'busybox-static');
  for (const dir of [
    'bin',
    'dev',
    'etc',
    'home',
    'proc',
    'root',
    'sys',
    'tmp',
    'usr/bin',
    'usr/sbin',
    'var/www',
  ]) {
    mkdirSync(join(root, dir), { recursive: true });
  }
  chmodSync(join(root, 'tmp'), 0o1777);
  chmodSync(join(root, 'root'), 0o700);
  copyFileSync(busybox, join(root, 'bin/busybox'));
  chmodSync(join(root, 'bin/busybox'), 0o755);
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
  symlinkSync('../../bin/env', join(root, 'usr/bin/env'));
  writeFileSync(join(root, 'etc/passwd'), PASSWD);
  writeFileSync(join(root, 'etc/group'), GROUP);
  writeFileSync(join(root, 'etc/shadow'), 'root:*:::::::\n', { mode: 0o600 });
}

/** An archive of the image `name` ("busybox:latest") at `out`. */
export function makeBusyboxArchive(out: string, name = 'busybox:latest'): void {
  const work = mkdtempSync(join(tmpdir(), 'tsrun-busybox-'));
  try {
    const root = join(work, 'root');
    makeBusyboxRoot(root);
    const layer = join(work, 'layer.tar');
    tarDirectory(root, layer);
    mkdirSync(dirname(out), { recursive: true });
    writeArchive(
      {
        layers: [{ path: layer, createdBy: 'busybox-static of Debian (rootfs-fixtures/busybox.ts)' }],
        config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['sh'] },
        tag: name,
        reference: `docker.io/library/${name}`,
      },
      out,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const out = process.argv[2];
if (process.argv[1] === fileURLToPath(import.meta.url) && out) makeBusyboxArchive(resolve(out));
