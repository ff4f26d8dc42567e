/** `tsrun system check`: every kind of damage is found, and what a repair makes of it works. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createEngine } from '../../src/index.js';
import type { CheckOptions, StoreCheck, StoreDamage } from '../../src/types/engine.js';
import { Store } from '../helpers/cli.js';
import { imageOf, layerOf, pushImage } from '../helpers/images.js';
import { leaksAfterSettling } from '../helpers/leaks.js';
import { type Registry, startRegistry } from '../helpers/registry.js';

let registry: Registry;
let store: Store;
let image: string;

const base = layerOf([
  { path: 'bin', dir: true },
  { path: 'bin/big', content: 'x'.repeat(100_000) },
]);
/** Needs what lies below it: its tar has no entry for bin/. */
const above = layerOf([{ path: 'bin/small', content: 'small' }]);
const made = imageOf([base, above]);

test.serial.before(
  'a store with an image of a registry, a committed one, a container and a volume',
  async () => {
    registry = await startRegistry();
    store = new Store();
    image = `${registry.host}/app:1`;
    await pushImage(registry.host, 'app', '1', made);
    await store.ok('pull', '-q', image);
    await store.ok(
      'run',
      '--name',
      'box',
      '--network',
      'none',
      '-v',
      'data:/data',
      'busybox',
      'sh',
      '-c',
      'echo 1 > /one',
    );
    await store.ok('commit', 'box', 'test/committed');
  },
);

test.after.always(async (t) => {
  registry.stop();
  t.deepEqual(await leaksAfterSettling(store.root), []);
  await store.destroy();
});

/** In this process: the command line is looked at where it matters. */
function check(options: CheckOptions = {}): Promise<StoreCheck> {
  return createEngine({ root: store.root }).check(options);
}

async function pull(): Promise<void> {
  await createEngine({ root: store.root }).pull(image);
}

const openOf = ({ damages }: StoreCheck) => damages.filter(({ mended }) => !mended);
const inBlobs = (digest: string) => join(store.root, 'oci/blobs/sha256', digest.slice(7));
const inLayers = (key: string, ...rest: string[]) => join(store.root, 'layers', key, ...rest);
const brief = ({ kind, problem, mended }: StoreDamage) => `${kind} ${mended}: ${problem}`;

function flip(path: string): void {
  const { atime, mtime } = statSync(path);
  const bytes = readFileSync(path);
  const middle = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  writeFileSync(path, bytes);
  utimesSync(path, atime, mtime);
}

/** One look that finds the damage, one repair. */
async function repaired(t: ExecutionContext, problem: RegExp, full = false): Promise<StoreCheck> {
  const seen = await check({ full });
  t.true(
    seen.damages.some((damage) => problem.test(brief(damage))),
    JSON.stringify(seen.damages, null, 1),
  );
  t.deepEqual(openOf(seen), seen.damages);
  return await check({ repair: true, full });
}

/** By names and sizes; the last test reads everything. */
async function isWhole(t: ExecutionContext): Promise<void> {
  t.deepEqual((await check()).damages, []);
}

test.serial('a whole store has no damage, also when all of it is read', async (t) => {
  t.deepEqual((await check({ full: true })).damages, []);
  const text = await store.ok('system', 'check');
  t.is(text, '3 images, 4 layers, 10 blobs, 1 containers, 1 volumes: no damage\n');
  t.is(await store.ok('system', 'check', '-q'), '');
});

for (const [what, damage, full] of [
  ['a flipped bit', flip, true],
  ['a lost end', (path: string) => truncateSync(path, 50), false],
  ['nothing in it', (path: string) => truncateSync(path, 0), false],
  ['no file', (path: string) => rmSync(path), false],
] as const)
  test.serial(`a blob with ${what}: a pull brings it back`, async (t) => {
    damage(inBlobs(base.digest));
    const [open, ...others] = openOf(await repaired(t, /^blob false: /, full));
    t.deepEqual(others, []);
    t.is(open?.problem, 'is missing');
    t.deepEqual(open?.affects, [image], 'the image is not whole before it is pulled');
    t.false(existsSync(inBlobs(base.digest)));
    await pull();
    await isWhole(t);
  });

test.serial('the blob of a committed layer is packed again from its directory', async (t) => {
  const [diffId] = JSON.parse(
    await store.ok('inspect', '-f', '{{json .RootFS.Layers}}', 'test/committed'),
  ).slice(-1);
  truncateSync(inBlobs(diffId), 0);
  t.deepEqual(openOf(await repaired(t, /^blob false: has 0 bytes/)), []);
  await isWhole(t);
});

for (const which of ['manifest', 'config'] as const)
  test.serial(`a ${which} that is damaged: the image has to be pulled`, async (t) => {
    flip(inBlobs(which === 'manifest' ? made.digest : made.id));
    t.deepEqual(openOf(await repaired(t, /^image false: sha256:[0-9a-f]{64} is damaged/)), []);
    await t.throwsAsync(createEngine({ root: store.root }).inspectImage(image), {
      message: /^No such image/,
    });
    await pull();
    await isWhole(t);
  });

const chained = () =>
  readdirSync(join(store.root, 'layers')).find((key) => existsSync(inLayers(key, 'bin/small'))) ?? '';

for (const [what, damage, full] of [
  ['an empty file', () => truncateSync(inLayers(base.diffId.slice(7), 'bin/big'), 0), false],
  ['a flipped bit', () => flip(inLayers(base.diffId.slice(7), 'bin/big')), true],
  ['a file too many', () => writeFileSync(inLayers(base.diffId.slice(7), 'new'), ''), true],
  ['another time', () => utimesSync(inLayers(chained(), 'bin/small'), 1, 1), true],
  ['a lost file, in one that needs those below', () => rmSync(inLayers(chained(), 'bin/small')), false],
  ['no record', () => rmSync(`${inLayers(chained())}.json`), false],
  ['a torn record', () => truncateSync(`${inLayers(chained())}.json`, 20), false],
  ['no directory', () => rmSync(inLayers(base.diffId.slice(7)), { recursive: true }), false],
] as const)
  test.serial(`a layer with ${what} is unpacked again`, async (t) => {
    damage();
    t.deepEqual(openOf(await repaired(t, /^layer false: /, full)), []);
    await isWhole(t);
    const names = readdirSync(inLayers(base.diffId.slice(7), 'bin'));
    t.deepEqual(names, ['big']);
  });

test.serial('the command says what is wrong and what is done, and its exit code tells', async (t) => {
  flip(inBlobs(base.digest));
  const said = async (...flags: string[]) => {
    const { code, stdout } = await store.tsrun(['system', 'check', '--full', ...flags]);
    return [code, ...stdout.split('\n')];
  };
  const counts = '3 images, 4 layers, 10 blobs, 1 containers, 1 volumes';
  const first = `blob ${base.digest} (${image}): its bytes are not those of its digest`;
  t.deepEqual(await said(), [
    1,
    first,
    '  a repair removes it; pull or load the image again',
    `${counts}: 1 damaged, 0 mended`,
    'tsrun system check --repair mends what it can',
    '',
  ]);
  t.deepEqual(await said('--repair'), [
    1,
    first,
    '  mended: removes it; pull or load the image again',
    `blob ${base.digest} (${image}): is missing`,
    '  not mended; pull or load the image again',
    `${counts}: 2 damaged, 1 mended`,
    '',
  ]);
  t.deepEqual(await said('--format', '{{.Kind}} {{.Mended}} {{.Affects}}'), [1, `blob false ${image}`, '']);
  await pull();
  const { code, stdout } = await store.tsrun(['system', 'check', '--format', 'json']);
  t.is(code, 0);
  t.like(JSON.parse(stdout), { checked: { images: 3, containers: 1 }, damages: [], swept: [] });
});

test.serial('a torn image database: names are kept, no image is lost', async (t) => {
  const index = join(store.root, 'oci/index.json');
  const before = await store.ok('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}');
  truncateSync(index, statSync(index).size - 100);
  t.regex((await store.tsrun(['images'])).stderr, /hint: .*system check --repair/);
  t.deepEqual(openOf(await repaired(t, /^index false: the image database cannot be read/)), []);
  const after = await store.ok('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}');
  const ids = (text: string) => text.match(/sha256:\S+/g)?.sort();
  t.deepEqual(ids(after), ids(before));
  t.is(
    after.split('\n').filter((line) => before.includes(line)).length,
    3,
    'two names of three, and the last line',
  );
  t.true(readdirSync(join(store.root, 'quarantine')).some((name) => name.startsWith('index.json')));
  await pull();
  await store.ok('run', '--rm', '--network', 'none', 'busybox', 'true');
  await isWhole(t);
});

test.serial('what the engine mounts over is made again', async (t) => {
  rmSync(inLayers('init-v1', 'etc/hosts'));
  t.is((await repaired(t, /^layer false: missing or changed: \/etc\/hosts/)).damages[0]?.mended, true);
  await store.ok('start', '-a', 'box');
  await isWhole(t);
});

test.serial('containers: records, names and locks', async (t) => {
  const id = (await store.ok('inspect', '-f', '{{.Id}}', 'box')).trim();
  const dir = join(store.root, 'containers', id);
  rmSync(join(store.root, 'names/box'));
  rmSync(join(dir, 'lock'));
  truncateSync(join(dir, 'exit'), 3);
  const { damages } = await repaired(t, /^container false: /);
  t.deepEqual(damages.map(brief).sort(), [
    'container true: exit cannot be read',
    'container true: its lock file is missing',
    'container true: its name is not linked',
  ]);
  await store.ok('start', '-a', 'box');
  await isWhole(t);

  truncateSync(join(dir, 'container.json'), 10);
  t.is((await store.tsrun(['ps', '-a'])).code, 1);
  t.deepEqual(openOf(await repaired(t, /^container false: its record cannot be read/)), []);
  t.is(await store.ok('ps', '-aq'), '');
  const [kept] = readdirSync(join(store.root, 'quarantine')).filter((name) => name.startsWith(id));
  t.is(readFileSync(join(store.root, 'quarantine', kept ?? '', 'upper/one'), 'utf8'), '1\n');
  await store.ok('create', '--name', 'box', '-v', 'data:/data', image, 'x');
  await isWhole(t);
});

test.serial('nothing is taken away under a container that runs', async (t) => {
  await store.ok('run', '-d', '--name', 'runs', '--network', 'none', 'test/committed', 'sleep', '1000');
  const [key = ''] = JSON.parse(readFileSync(join(store.root, 'names/runs'), 'utf8')).layers;
  const sh = inLayers(key, 'bin/env');
  renameSync(sh, `${sh}.away`);
  t.teardown(() => existsSync(`${sh}.away`) && renameSync(`${sh}.away`, sh));
  const open = openOf(await check({ repair: true, full: true }));
  t.deepEqual(
    open.map(({ hint }) => hint),
    ['stop runs, then repair'],
  );
  t.is((await store.ok('exec', 'runs', 'echo', 'alive')).trim(), 'alive');
  await store.ok('rm', '-f', 'runs');
  t.deepEqual(openOf(await check({ repair: true, full: true })), []);
  t.true(existsSync(sh));
  await isWhole(t);
});

test.serial("a container whose layer is gone is kept; its image's pull helps it", async (t) => {
  await store.ok('rmi', '-f', image);
  rmSync(inLayers(base.diffId.slice(7)), { recursive: true });
  const [open] = openOf(await check({ repair: true }));
  t.is(open?.hint, `pull or load ${image} again`);
  await pull();
  await isWhole(t);
});

test.serial('volumes: a record is written anew, the data stays', async (t) => {
  const dir = join(store.root, 'volumes/data');
  writeFileSync(join(dir, '_data/file'), 'mine');
  truncateSync(join(dir, 'volume.json'), 5);
  t.regex((await store.tsrun(['volume', 'ls'])).stderr, /not valid JSON/);
  t.is((await repaired(t, /^volume false: its record cannot be read/)).damages[0]?.mended, true);
  t.is(readFileSync(join(dir, '_data/file'), 'utf8'), 'mine');
  t.is(await store.ok('volume', 'ls', '-q'), 'data\n');
});

test.serial('what dead processes left is told and taken', async (t) => {
  for (const name of ['staging/abandoned', 'trash/deleted']) {
    mkdirSync(join(store.root, name));
    writeFileSync(join(store.root, `${name}.lock`), '');
  }
  writeFileSync(join(store.root, 'layers', `${'9'.repeat(64)}.json`), '{}');
  writeFileSync(join(store.root, 'oci/blobs/sha256/.x.tmp'), '');
  cpSync(join(store.root, 'oci/oci-layout'), join(store.root, 'names/nobody'));
  writeFileSync(join(store.root, 'oci/oci-layout'), '{"imageLay');
  const { damages, swept } = await check();
  t.deepEqual(damages, []);
  t.deepEqual(swept.sort(), [
    'the name nobody of no container',
    `unfinished work layers/${'9'.repeat(64)}.json`,
    'unfinished work oci/blobs/sha256/.x.tmp',
    'unfinished work staging/abandoned',
    'unfinished work trash/deleted',
  ]);
  t.deepEqual((await check()).swept, []);
});

test.serial('after all this every byte is what it was', async (t) => {
  t.deepEqual((await check({ full: true })).damages, []);
});
