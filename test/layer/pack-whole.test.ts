/** What `commit --squash` and `--include-volumes` make of a container: whole trees in a layer. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { type PackRequest, packLayer } from '../../src/layer/pack.js';
import type { PackResult } from '../../src/native/protocol.js';
import { apply, emptyDir, HELPER, inOverlay, tempDir } from './fixture.js';

interface Packed {
  archive: Buffer;
  result: PackResult;
}

async function pack(base: string, request: Omit<PackRequest, 'helperPath' | 'output'>): Promise<Packed> {
  const path = join(base, `layer-${Math.random()}.tar`);
  const output = openSync(path, 'wx', 0o600);
  try {
    const result = await packLayer({ helperPath: HELPER, output, ...request });
    return { archive: readFileSync(path), result };
  } finally {
    closeSync(output);
  }
}

function sh(cwd: string, script: string): void {
  execFileSync('sh', ['-ec', script], { cwd });
}

function listed(archive: Buffer): string[] {
  return execFileSync('tar', ['-tf', '-'], { input: archive, encoding: 'utf8' }).split('\n').filter(Boolean);
}

const BASE = `
  mkdir -p etc usr/share opt/gone var/run; chmod 750 .
  printf root > etc/passwd; ln etc/passwd etc/again; ln -s /run var/rrun; printf old > etc/replaced
  printf x > usr/share/x; setfattr -n user.note -v text usr/share; printf g > opt/gone/g
`;

/** Everything below and the root's mode, as `find` and getfattr tell it. */
const LIST = `
  stat -c '. %a %u:%g' .
  find . -mindepth 1 \\( -type d -printf '%P %y %m %U:%G %T@\\n' -o -printf '%P %y %m %U:%G %T@ %l %s\\n' \\) | LC_ALL=C sort
  getfattr -Rhd -m user -e hex .`;

/** What the kernel shows of directories that are laid over one another, topmost first. */
function seen(base: string, layers: string[]): string {
  return inOverlay(layers, emptyDir(base), emptyDir(base), LIST);
}

test('the whole view is one layer: what is hidden below is not in it, all else is, with its attributes', async (t) => {
  const base = tempDir(t);
  const [low, mid, upper] = [emptyDir(base), emptyDir(base), emptyDir(base)];
  sh(low, BASE);
  sh(mid, 'mkdir -p usr/share; chmod 711 usr/share; printf y > usr/share/y; mknod opt c 0 0');
  sh(
    upper,
    `mkdir -p etc new; printf new > etc/replaced; mknod etc/again c 0 0; : > etc/hosts; : > empty
     setfattr -n trusted.overlay.opaque -v y new; chmod 701 .; touch -d '2020-01-01 00:00:00.5Z' new
     touch -d '2020-01-01Z' etc`,
  );
  const stubs = join(base, 'stubs');
  writeFileSync(stubs, '/etc/hosts\0');
  const { archive, result } = await pack(base, { upper, lower: [mid, low], stubs, whole: true });
  const target = emptyDir(base);
  const applied = await apply(archive, target, []);
  t.is(applied.diffId, result.diffId);
  t.is(applied.contentSize, result.contentSize);
  t.true(applied.standalone);
  sh(upper, "rm etc/hosts; touch -d '2020-01-01Z' etc");
  t.is(statSync(target).mode & 0o777, 0o701);
  t.is(seen(base, [target]), seen(base, [upper, mid, low]));
  for (const gone of ['etc/again', 'etc/hosts', 'opt']) t.false(listed(archive).includes(gone), gone);
});

test('names of one file stay one file, also in what is whole', async (t) => {
  const base = tempDir(t);
  const [low, upper] = [emptyDir(base), emptyDir(base)];
  sh(low, 'printf x > a; ln a b; mkdir d; ln a d/c');
  const { archive } = await pack(base, { upper, lower: [low], whole: true });
  const target = emptyDir(base);
  await apply(archive, target, []);
  t.is(statSync(join(target, 'd/c')).nlink, 3);
});

test('a volume goes into the layer at its place and hides what the image has there', async (t) => {
  const base = tempDir(t);
  const [low, upper, data, inner] = [emptyDir(base), emptyDir(base), emptyDir(base), emptyDir(base)];
  sh(
    low,
    "mkdir -p srv/data; printf old > srv/data/old; ln -s srv link; touch -d '2020-01-01Z' srv srv/data",
  );
  sh(upper, 'mkdir -p made; printf m > made/file');
  sh(
    data,
    `printf new > new; mkdir sub; chown 5:6 .; chmod 700 .; ln new sub/hard; touch -d '2021-01-01Z' . sub`,
  );
  sh(inner, 'mkdir part; printf i > part/inner');
  const volumes = [
    { path: '/link/data', dir: data }, // srv/data, as the container sees it
    { path: '/srv/data/sub', dir: inner, part: 'part' },
    { path: '/nowhere/yet', dir: inner },
  ];
  const { archive, result } = await pack(base, { upper, lower: [low], volumes });
  t.deepEqual(listed(archive), [
    'made/',
    'made/file',
    'nowhere/',
    'nowhere/yet/',
    'nowhere/yet/part/',
    'nowhere/yet/part/inner',
    'srv/',
    'srv/data/',
    'srv/data/.wh..wh..opq',
    'srv/data/new',
    'srv/data/sub/',
    'srv/data/sub/inner',
  ]);
  const target = emptyDir(base);
  const applied = await apply(archive, target, [low]);
  t.is(applied.diffId, result.diffId);
  t.true(applied.standalone);
  const shown = seen(base, [target, low]);
  t.regex(shown, /^srv\/data d 700 5:6 1609459200\.0/m);
  t.regex(shown, /^srv d 755 0:0 1577836800\.0/m);
  t.false(shown.includes('srv/data/old'));

  const whole = await pack(base, { upper, lower: [low], volumes, whole: true });
  const flat = emptyDir(base);
  await apply(whole.archive, flat, []);
  const withoutRoot = (text: string) => text.replace(/^nowhere d .*$/gm, 'nowhere');
  t.is(withoutRoot(seen(base, [flat])), withoutRoot(shown));
});

test('no link in a volume leads out of it', async (t) => {
  const base = tempDir(t);
  const [low, upper, data] = [emptyDir(base), emptyDir(base), emptyDir(base)];
  sh(data, 'ln -s / out; ln -s /etc/passwd file');
  const packed = (part?: string) =>
    pack(base, { upper, lower: [low], volumes: [{ path: '/v', dir: data, part }] });
  await t.throwsAsync(packed('out/etc'), { message: /ELOOP|not a directory|ENOTDIR/ });
  await t.throwsAsync(packed('..'), { message: /./ });
  const { archive } = await packed();
  t.regex(
    execFileSync('tar', ['-tvf', '-'], { input: archive, encoding: 'utf8' }),
    /v\/file -> \/etc\/passwd/,
  );
});
