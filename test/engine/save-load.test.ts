import { execFileSync, spawnSync } from 'node:child_process';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { listImages } from '../../src/engine/images.js';
import { loadImages } from '../../src/engine/load.js';
import { resolveImage } from '../../src/engine/resolve-image.js';
import { removeImage } from '../../src/engine/rmi.js';
import { saveImages } from '../../src/engine/save.js';
import { tagImage } from '../../src/engine/tag.js';
import type { TsrunError } from '../../src/errors.js';
import { type TestStore, testStore } from '../helpers/image-store.js';
import { type Entry, imageOf, layerOf, type MadeImage, tarOf } from '../helpers/images.js';

const dir = mkdtempSync(join(tmpdir(), 'tsrun-save-'));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));

const base = layerOf([{ path: 'a', content: 'base' }], 'gzip');
const plain = layerOf([{ path: 'b', content: 'plain' }], 'none');
const image = imageOf([base, plain]);
const EMPTY = { layers: [], blobs: [], staging: [], trash: [] };

type Item = { image: MadeImage; tags?: string[] };

/** As `docker save` of old wrote it: a directory per layer, the second image's shared layer a link to the first's. */
function dockerArchive(items: Item[]): Buffer {
  const entries: (Entry & { symlink?: string })[] = [];
  const seen = new Map<string, string>();
  const manifest = items.map(({ image: each, tags }, n) => ({
    Config: `${each.id.slice(7)}.json`,
    RepoTags: tags ?? null,
    Layers: each.layers.map((layer, i) => {
      const folder = `img${n}-layer${i}`;
      const known = seen.get(layer.diffId);
      if (known === undefined)
        entries.push({ path: `${folder}/layer.tar`, content: layer.blob.toString('latin1') });
      else entries.push({ path: `${folder}/layer.tar`, link: `../${known}/layer.tar` });
      seen.set(layer.diffId, known ?? folder);
      return `${folder}/layer.tar`;
    }),
  }));
  for (const { image: each } of items)
    entries.push({ path: `${each.id.slice(7)}.json`, content: each.config.toString('latin1') });
  entries.push({ path: 'manifest.json', content: JSON.stringify(manifest) });
  return tarOf(entries, { latin1: true, symlinks: true });
}

async function load(store: TestStore, archive: Buffer) {
  return await loadImages(store.context, Readable.from([archive.subarray(0, 3), archive.subarray(3)]));
}

const uncompressed = imageOf([layerOf([{ path: 'a', content: '1' }], 'none'), plain]);
const sharing = imageOf([plain, layerOf([{ path: 'c', content: '2' }], 'none')]);

test('a docker archive with shared layers as links', async (t) => {
  const store = await testStore();
  t.teardown(store.remove);
  const archive = dockerArchive([
    { image: uncompressed, tags: ['one:1', 'reg.example:5000/one:2'] },
    { image: sharing },
  ]);
  t.deepEqual((await load(store, archive)) as unknown, [
    { reference: 'one:1', imageId: uncompressed.id },
    { reference: 'reg.example:5000/one:2', imageId: uncompressed.id },
    { reference: undefined, imageId: sharing.id },
  ]);
  t.is(resolveImage(store.store.paths, sharing.id).layerDirs.length, 2);
  const rows = await listImages(store.context);
  t.deepEqual(rows.map(({ repoTags }) => repoTags).sort(), [[], ['one:1', 'reg.example:5000/one:2']]);
});

for (const [program, args] of [
  ['gzip', []],
  ['zstd', ['-q']],
  ['xz', []],
  ['bzip2', []],
] as const)
  test(`an archive compressed with ${program}`, async (t) => {
    const store = await testStore();
    t.teardown(store.remove);
    const archive = dockerArchive([{ image: uncompressed, tags: ['packed:1'] }]);
    const packed = spawnSync(program, ['-c', ...args], { input: archive, maxBuffer: 1 << 28 }).stdout;
    t.is((await load(store, packed))[0]?.reference, 'packed:1');
  });

test('save and load are the same images; other tools read both forms', async (t) => {
  const first = await testStore();
  const second = await testStore();
  t.teardown(() => {
    first.remove();
    second.remove();
  });
  const layout = join(dir, 'layout');
  writeLayout(layout, image, 'docker.io/library/app:1');
  t.deepEqual((await loadImages(first.context, { dir: layout })) as unknown, [
    { reference: 'app:1', imageId: image.id },
  ]);
  await tagImage(first.context, 'app:1', 'other.example/x:2');
  const file = join(dir, 'saved.tar');
  await save(first, ['app:1', 'other.example/x', image.id.slice(7, 19)], file);
  const loaded = await loadImages(second.context, createReadStream(file));
  t.deepEqual(loaded.map(({ reference }) => reference).sort(), ['app:1', 'other.example/x:2']);
  const found = resolveImage(second.store.paths, 'app:1');
  t.is(found.descriptor.digest as string, image.digest);
  for (const [kind, name] of [
    ['docker-archive', 'docker.io/library/app:1'],
    ['oci-archive', 'docker.io/library/app:1'],
  ]) {
    const config = execFileSync('skopeo', ['inspect', '--config', `${kind}:${file}:${name}`], {
      encoding: 'utf8',
    });
    t.deepEqual(JSON.parse(config).rootfs.diff_ids, [base.diffId, plain.diffId], kind);
    execFileSync('skopeo', ['copy', '-q', `${kind}:${file}:${name}`, `dir:${join(dir, `copy-${kind}`)}`]);
  }
});

test('a saved archive is the same bytes twice', async (t) => {
  const store = await testStore();
  t.teardown(store.remove);
  await load(store, dockerArchive([{ image: uncompressed, tags: ['same:1'] }]));
  await save(store, ['same:1'], join(dir, 'x.tar'));
  await save(store, ['same'], join(dir, 'y.tar'));
  execFileSync('cmp', [join(dir, 'x.tar'), join(dir, 'y.tar')]);
  t.pass();
});

test('what cannot be found is said before a byte is written', async (t) => {
  const store = await testStore();
  t.teardown(store.remove);
  const file = join(dir, 'none.tar');
  const error = await t.throwsAsync<TsrunError>(save(store, ['absent'], file));
  t.is(error?.message, 'No such image: absent');
});

test('an archive of skopeo', async (t) => {
  const store = await testStore();
  t.teardown(store.remove);
  const layout = join(dir, 'for-skopeo');
  writeLayout(layout, image, 'x');
  for (const kind of ['docker-archive', 'oci-archive']) {
    const file = join(dir, `skopeo-${kind}.tar`);
    execFileSync('skopeo', [
      'copy',
      '-q',
      `oci:${layout}:x`,
      `${kind}:${file}:docker.io/library/from-${kind}:1`,
    ]);
    const [loaded] = await loadImages(store.context, createReadStream(file));
    t.is(loaded?.reference, `from-${kind}:1`);
  }
});

const lie = imageOf([{ ...plain, diffId: base.diffId }]);
const hostile: [what: string, archive: () => Buffer][] = [
  [
    'a lie about a diff ID in the second image',
    () =>
      dockerArchive([
        { image: uncompressed, tags: ['ok:1'] },
        { image: lie, tags: ['bad:1'] },
      ]),
  ],
  ['no tar at all', () => Buffer.from('hello, this is no archive '.repeat(100))],
  ['nothing', () => Buffer.alloc(0)],
  ['an empty archive', () => Buffer.alloc(1024)],
  ['a cut gzip', () => gzipSync(dockerArchive([{ image: uncompressed }])).subarray(0, 300)],
  [
    'names that leave the archive',
    () => tarOf([{ path: 'manifest.json', content: '[{"Config":"../../../../etc/passwd","Layers":[]}]' }]),
  ],
  [
    'an absolute name',
    () => tarOf([{ path: 'manifest.json', content: '[{"Config":"/etc/passwd","Layers":["/etc/shadow"]}]' }]),
  ],
  [
    'a link to the outside',
    () =>
      tarOf(
        [
          { path: 'config.json', link: '/etc/passwd' },
          { path: 'manifest.json', content: '[{"Config":"config.json","Layers":[]}]' },
        ],
        { symlinks: true },
      ),
  ],
  [
    'links in a circle',
    () =>
      tarOf(
        [
          { path: 'a', link: 'b' },
          { path: 'b', link: 'a' },
          { path: 'manifest.json', content: '[{"Config":"a","Layers":[]}]' },
        ],
        { symlinks: true },
      ),
  ],
  ['a manifest that is no list', () => tarOf([{ path: 'manifest.json', content: '{}' }])],
  [
    'a manifest that breaks out of its JSON',
    () => tarOf([{ path: 'manifest.json', content: '[]},"items":[{"x":[]' }]),
  ],
  [
    'a config that is no config',
    () =>
      tarOf([
        { path: 'c', content: '{"os":5}' },
        { path: 'manifest.json', content: '[{"Config":"c","Layers":[]}]' },
      ]),
  ],
  ['a huge document', () => tarOf([{ path: 'manifest.json', content: ' '.repeat(5 << 20) }])],
];

for (const [what, archive] of hostile)
  test(`refused without a trace: ${what}`, async (t) => {
    const store = await testStore();
    t.teardown(store.remove);
    const error = await t.throwsAsync<TsrunError>(load(store, archive()));
    t.true(error?.code === 'FORMAT' || error?.code === 'CONTENT', error?.message);
    t.deepEqual(await store.content(), EMPTY);
    t.deepEqual(await listImages(store.context), []);
  });

test('a planted link in a layout is not followed', async (t) => {
  const store = await testStore();
  t.teardown(store.remove);
  const layout = join(dir, 'planted');
  writeLayout(layout, image, 'docker.io/library/app:1');
  const blob = join(layout, 'blobs/sha256', image.id.slice(7));
  rmSync(blob);
  symlinkSync('/etc/passwd', blob);
  const error = await t.throwsAsync<TsrunError>(loadImages(store.context, { dir: layout }));
  t.is(error?.errno, 'ELOOP');
  t.deepEqual(await store.content(), EMPTY);
});

test('rmi: shared layers stay, the rest goes, in order', async (t) => {
  const store = await testStore();
  t.teardown(store.remove);
  const child = imageOf([
    layerOf([{ path: 'a', content: '1' }], 'none'),
    plain,
    layerOf([{ path: 'd', content: '4' }], 'none'),
  ]);
  await load(
    store,
    dockerArchive([
      { image: uncompressed, tags: ['low:1'] },
      { image: child, tags: ['high:1', 'high:2'] },
    ]),
  );
  t.deepEqual((await removeImage(store.context, 'high:2')) as unknown, [{ untagged: 'high:2' }]);
  const lines = await removeImage(store.context, 'high:1');
  t.deepEqual(lines.slice(0, 2) as unknown, [{ untagged: 'high:1' }, { deleted: child.id }]);
  t.is(lines.length, 3, 'of its three layers only the top one had no other user');
  t.is(resolveImage(store.store.paths, 'low:1').layerDirs.length, 2);
  store.users.push({ id: 'f'.repeat(64), name: 'c', imageId: uncompressed.id as never, running: false });
  for (const layer of resolveImage(store.store.paths, 'low:1').layerDirs) store.usedLayers.add(layer);
  const error = await t.throwsAsync<TsrunError>(removeImage(store.context, 'low:1'));
  t.regex(error?.message ?? '', /\(must force\) - container ffffffffffff is using its referenced image/);
  t.deepEqual((await removeImage(store.context, 'low:1', { force: true })) as unknown, [
    { untagged: 'low:1' },
    { deleted: uncompressed.id },
  ]);
  t.is(
    (await store.content()).layers.filter((name) => !name.endsWith('.json')).length,
    2,
    'the container stands on them',
  );
  store.usedLayers.clear();
  await load(store, dockerArchive([{ image: sharing, tags: ['x:1'] }]));
  await removeImage(store.context, 'x:1');
  t.deepEqual(await store.content(), EMPTY);
});

async function save(store: TestStore, references: string[], file: string): Promise<void> {
  const output = createWriteStream(file);
  try {
    await saveImages(store.context, references, output);
  } finally {
    output.end();
    await finished(output);
  }
}

function writeLayout(path: string, each: MadeImage, name: string): void {
  const blobs = join(path, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  writeFileSync(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  for (const layer of each.layers) writeFileSync(join(blobs, layer.digest.slice(7)), layer.blob);
  writeFileSync(join(blobs, each.id.slice(7)), each.config);
  writeFileSync(join(blobs, each.digest.slice(7)), each.manifest);
  const annotations = { 'org.opencontainers.image.ref.name': name };
  const manifests = [
    { mediaType: each.mediaType, digest: each.digest, size: each.manifest.length, annotations },
  ];
  writeFileSync(join(path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}
