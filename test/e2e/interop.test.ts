/**
 * Images travel between tsrun and docker, podman, skopeo, umoci and buildah: through a registry, in archives, as OCI layouts,
 * in both directions. The trees are compared with all attributes, the layers by their diff IDs, the ids where the tool keeps
 * the image's config as it is.
 */
import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import test, { type ExecutionContext } from 'ava';
import { writeArchive } from '../../rootfs-fixtures/archive.js';
import { resolveImage } from '../../src/engine/resolve-image.js';
import { createEngine } from '../../src/index.js';
import { storePaths } from '../../src/store/paths.js';
import type { Engine } from '../../src/types/engine.js';
import {
  buildahPartner,
  type Channel,
  dockerPartner,
  type Partner,
  type Place,
  podmanPartner,
  skopeoPartner,
  umociPartner,
} from '../helpers/partners.js';
import { type Registry, startRegistry } from '../helpers/registry.js';
import { overlayTree } from '../helpers/tree.js';

/** Not on a disk: seven engines sync a hundred times. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
/** podman makes a name of an image from it, so without capital letters. */
const dir = join(memory, `tsrun-interop-${process.pid}`);
const IMAGE = 'test/rich:1';

/** Below: a bit of everything. $1 */
const BASE = `cd "$1"; umask 022; mkdir -p base/opaque base/sub; echo file > base/file; echo gone > base/gone
echo below > base/opaque/below; echo x > base/sub/x; ln -s ../base/file base/link; ln base/file base/linked
mknod base/char c 1 3; mknod base/block b 7 200; mkfifo base/fifo; chown 1000:4294967294 base/file; chmod 4755 base/sub/x
chmod 1777 base/opaque; touch -d '2001-02-03 04:05:06.123456789Z' base/file base/sub base/fifo
touch -hd '1969-12-31 00:00:00.5Z' base/link`;
/** On top, as overlayfs has it in a writable part: whiteouts, an opaque directory, every kind of node. $1 */
const UPPER = `cd "$1"; umask 022; mkdir -p base/opaque top; mknod base/gone c 0 0; mknod base/linked c 0 0
setfattr -n trusted.overlay.opaque -v y base/opaque; chmod 1777 base/opaque; echo above > base/opaque/above
echo ping > top/ping; setcap cap_net_raw+ep top/ping; ln top/ping top/again; echo s > top/suid; chmod 6711 top/suid; ln top/suid top/suid2
setfattr -n user.note -v 'a b' top/suid; mknod top/null c 1 3; mknod top/disk b 259 1048575; mkfifo -m 600 top/fifo
ln -s /nowhere top/dangling; chown -h 5:6 top/dangling; mkdir -m 2770 top/dir; chown 7:8 top/dir
printf x > "top/$(printf 'caf\\351')"; mkdir -p top/${'d'.repeat(120)}; echo n > top/${'d'.repeat(120)}/${'n'.repeat(200)}
touch -d '2033-03-03 03:03:03.000000001Z' top/suid top/dir; touch -hd '2020-01-01 00:00:00.25Z' top/dangling
touch -d '2021-01-01 00:00:00.75Z' top base base/opaque`;

let registry: Registry;
let source: Engine;
let tree: string[];
let diffIds: string[];
let id: string;

const rootOf = (name: string) => join(dir, name);

test.serial.before('an image of a layer that GNU tar has made and one that is committed', async () => {
  mkdirSync(dir);
  registry = await startRegistry();
  const [base, archive] = [join(dir, 'base'), join(dir, 'base.tar')];
  mkdirSync(base);
  execFileSync('sh', ['-ec', BASE, 'sh', base]);
  const tar = ['--format=posix', '--xattrs', '--xattrs-include=*', '--sort=name', '--numeric-owner'];
  execFileSync('tar', ['-cf', join(dir, 'layer.tar'), ...tar, '-C', base, 'base']);
  const layers = [{ path: join(dir, 'layer.tar'), compression: 'gzip' as const, createdBy: 'tar' }];
  const reference = 'docker.io/test/base:1';
  writeArchive({ layers, config: { Cmd: ['x'] }, tag: 'test/base:1', reference }, archive);
  source = createEngine({ root: rootOf('source') });
  await source.load(createReadStream(archive));
  const { id: container } = await source.create({ image: 'test/base:1', command: ['x'], name: 'rich' });
  execFileSync('sh', ['-ec', UPPER, 'sh', storePaths(source.root).container(container).upper]);
  await source.commit('rich', { repository: IMAGE });
  ({ tree, diffIds, id } = await seen(source, IMAGE));
});

test.after.always(async () => {
  registry?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** What a store of ours has under a name. */
async function seen(
  engine: Engine,
  name: string,
): Promise<{ tree: string[]; diffIds: string[]; id: string }> {
  const { layerDirs, config, id: imageId } = resolveImage(storePaths(engine.root), name);
  return {
    tree: await overlayTree(layerDirs, mkdtempSync(join(dir, 'view'))),
    diffIds: config.rootfs.diff_ids,
    id: imageId,
  };
}

test.serial('the image has all that it should have', (t) => {
  const text = tree.join('\n');
  for (const what of [
    /^base\/file 0o100644 1000:4294967294 mtime 981173106123456789 /m,
    /^base\/link 0o120777 0:0 mtime -86399500000000 -> b'..\/base\/file'$/m,
    /^base\/char 0o20644 .* 1,3$/m,
    /^base\/block 0o60644 .* 7,200$/m,
    /^base\/opaque\/above /m,
    /^top\/again .* linked to top\/again security\.capability=/m,
    /^top\/ping .* linked to top\/again security\.capability=/m,
    /^top\/suid 0o106711 0:0 mtime 1993431783000000001 .* linked to top\/suid user\.note=612062$/m,
    /^top\/disk 0o60644 .* 259,1048575$/m,
    /^top\/caf\\xe9 /m,
    /^top\/dangling 0o120777 5:6 /m,
    /^top\/dir 0o42770 7:8 /m,
  ])
    t.regex(text, what);
  for (const gone of [/^base\/gone/m, /^base\/linked/m, /^base\/opaque\/below/m]) t.notRegex(text, gone);
});

/** Brings the image from our store to a place, or from there into a new store. */
async function give(engine: Engine, { channel, path, name }: Place): Promise<void> {
  if (channel === 'registry') {
    await engine.tag(IMAGE, path);
    await engine.push(path);
    return;
  }
  await engine.tag(IMAGE, name);
  const file = channel === 'layout' ? `${path}.tar` : path;
  const output = createWriteStream(file);
  await engine.save([name], output);
  output.end();
  await finished(output);
  if (channel !== 'layout') return;
  mkdirSync(path);
  execFileSync('tar', ['-xf', file, '-C', path]);
}

async function take(engine: Engine, { channel, path, name }: Place): Promise<string> {
  if (channel === 'registry') {
    await engine.pull(path);
    return path;
  }
  await engine.load(channel === 'layout' ? { dir: path } : createReadStream(path));
  return name;
}

let count = 0;

function place(channel: Channel, partner: string, way: string): Place {
  const name = `${partner}/${way}:${++count}`;
  return {
    channel,
    name,
    path: channel === 'registry' ? `${registry.host}/${name}` : join(dir, `${count}-${way}`),
  };
}

/** Whose config of the image is our own, byte for byte, and so the id. */
const KEEPS_ID = (partner: string, channel: Channel) => channel !== 'docker-archive' || partner === 'docker';

async function roundTrip(t: ExecutionContext, partner: Partner, channel: Channel): Promise<void> {
  const there = place(channel, partner.name, 'there');
  await give(source, there);
  await partner.receive(there);
  t.deepEqual(await partner.diffIds(), diffIds, `${partner.name} has other layers`);
  t.deepEqual(await partner.tree(), tree, `${partner.name} has another tree`);
  const back = place(channel, partner.name, 'back');
  await partner.send(back);
  const engine = createEngine({ root: rootOf(`${count}-store`) });
  const got = await seen(engine, await take(engine, back));
  t.deepEqual(got.diffIds, diffIds, 'other layers came back');
  t.deepEqual(got.tree, tree, 'another tree came back');
  if (KEEPS_ID(partner.name, channel)) t.is(got.id, id);
  if (partner.sendChanged !== undefined && channel === 'layout') {
    const changed = place(channel, partner.name, 'changed');
    await partner.sendChanged(changed);
    await changedTree(t, engine, changed);
  }
  await partner.forget();
}

/** A layer of the partner's own making: what it says of the tree is what it has done to it. */
async function changedTree(t: ExecutionContext, engine: Engine, from: Place): Promise<void> {
  const got = await seen(engine, await take(engine, from));
  t.deepEqual(got.diffIds.slice(0, -1), diffIds);
  const names = (lines: string[]) => lines.map((line) => line.split(' ')[0]);
  const kept = names(tree).filter((name) => name !== 'base/fifo');
  t.deepEqual(names(got.tree), ['added', 'added/link', ...kept].sort());
  const text = got.tree.join('\n');
  t.regex(text, /^added 0o42750 /m);
  t.regex(text, /^base\/file 0o100644 1000:4294967294 .* linked to added\/link$/m);
  const same = tree.filter((line) => !/^base( |\/fi)/.test(line));
  t.deepEqual(
    got.tree.filter((line) => same.includes(line)),
    same,
    'all else is as it was',
  );
}

const PARTNERS: Record<string, () => Promise<Partner> | Partner> = {
  docker: () => dockerPartner(join(dir, 'docker')),
  podman: () => podmanPartner(join(dir, 'podman')),
  skopeo: () => skopeoPartner(join(dir, 'skopeo')),
  umoci: () => umociPartner(join(dir, 'umoci')),
  buildah: () => buildahPartner(join(dir, 'buildah')),
};

/** skopeo, podman and buildah read and write archives with the same code: two of each form are enough, but for INTEROP=all. */
const LEFT_OUT: Record<string, Channel> = {
  podman: 'oci-archive',
  buildah: 'docker-archive',
};

for (const [name, start] of Object.entries(PARTNERS))
  test.serial(`${name}: there and back on every way that it knows`, async (t) => {
    const partner = await start();
    try {
      const left = process.env.INTEROP === 'all' ? undefined : LEFT_OUT[name];
      for (const channel of partner.channels) if (channel !== left) await roundTrip(t, partner, channel);
    } finally {
      await partner.stop();
    }
  });
