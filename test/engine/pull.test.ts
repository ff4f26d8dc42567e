import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { pullImage } from '../../src/engine/pull.js';
import { resolveImage } from '../../src/engine/resolve-image.js';
import { removeImage } from '../../src/engine/rmi.js';
import type { TsrunError } from '../../src/errors.js';
import type { PullEvent } from '../../src/types/engine.js';
import { hexOf, parseDigest } from '../../src/types/ids.js';
import { testStore } from '../helpers/image-store.js';
import { imageOf, indexOf, layerOf, type MadeImage, pushImage, pushManifest } from '../helpers/images.js';
import { freePort, type Registry, startRegistry } from '../helpers/registry.js';

let registry: Registry;
test.before(async () => {
  registry = await startRegistry();
});
test.after.always(() => registry?.stop());

const base = layerOf([
  { path: 'etc/', dir: true },
  { path: 'etc/os', content: 'base' },
  { path: 'bin/', dir: true, mode: 0o700, uid: 7 },
  { path: 'bin/tool', content: 'one' },
]);
const top = layerOf([
  { path: 'etc/', dir: true },
  { path: 'etc/app', content: 'app' },
  { path: 'etc/.wh.os', content: '' },
]);

function statuses(events: PullEvent[]): string[] {
  return events.flatMap((event) =>
    event.kind === 'layer' && event.status !== 'Downloading' && event.status !== 'Extracting'
      ? [`${event.id} ${event.status}`]
      : [],
  );
}

const short = (layer: { digest: string }) => layer.digest.slice(7, 19);

test('an image arrives layer by layer and is found by tag, digest and id', async (t) => {
  const { context, store, content, remove } = await testStore();
  t.teardown(remove);
  const image = imageOf([base, top]);
  await pushImage(registry.host, 'app', '1', image);
  const events: PullEvent[] = [];
  const name = `${registry.host}/app:1`;
  const result = await pullImage(context, name, { onEvent: (event) => events.push(event) });
  t.deepEqual(result, { imageId: image.id, digest: image.digest, reference: name, upToDate: false } as never);
  t.deepEqual(events[0], {
    kind: 'resolving',
    reference: name,
    tag: '1',
    repository: 'app',
    defaultTag: false,
  });
  t.deepEqual(
    statuses(events).filter((line) => line.startsWith(short(base))),
    [
      `${short(base)} Pulling fs layer`,
      `${short(base)} Verifying Checksum`,
      `${short(base)} Download complete`,
      `${short(base)} Pull complete`,
    ],
  );
  for (const text of [name, `${registry.host}/app@${image.digest}`, image.id, image.id.slice(7, 17)]) {
    const found = resolveImage(store.paths, text);
    t.is(found.id as string, image.id);
    t.deepEqual(
      found.layerDirs,
      [top, base].map((layer) => store.paths.layer(layer.diffId.slice(7))),
    );
  }
  const [upper = ''] = resolveImage(store.paths, name).layerDirs;
  t.true(lstatSync(join(upper, 'etc/os')).isCharacterDevice(), 'a whiteout in overlay form');
  t.deepEqual((await content()).staging, []);
});

test('a second pull says nothing about layers and is up to date', async (t) => {
  const { context, remove } = await testStore();
  t.teardown(remove);
  await pushImage(registry.host, 'again', 'latest', imageOf([base]));
  const events: PullEvent[] = [];
  t.false((await pullImage(context, `${registry.host}/again`)).upToDate);
  const again = await pullImage(context, `${registry.host}/again`, {
    onEvent: (event) => events.push(event),
  });
  t.true(again.upToDate);
  t.deepEqual(
    events.map(({ kind }) => kind),
    ['resolving', 'found', 'done'],
  );
});

test('a layer that another image has is there already, by its diff ID, and takes no space twice', async (t) => {
  const { context, store, content, remove } = await testStore();
  t.teardown(remove);
  await pushImage(registry.host, 'one', '1', imageOf([base]));
  await pushImage(registry.host, 'two', '1', imageOf([base, top]));
  await pullImage(context, `${registry.host}/one:1`);
  const dir = store.paths.layer(base.diffId.slice(7));
  const inode = statSync(dir).ino;
  const events: PullEvent[] = [];
  await pullImage(context, `${registry.host}/two:1`, { onEvent: (event) => events.push(event) });
  t.is(statuses(events)[0], `${short(base)} Already exists`);
  t.is(statSync(dir).ino, inode);
  t.is((await content()).layers.filter((name) => !name.endsWith('.json')).length, 2);
});

for (const compression of ['none', 'gzip', 'zstd'] as const) {
  for (const docker of [false, true]) {
    test(`${docker ? 'Docker' : 'OCI'} media types, ${compression}`, async (t) => {
      const { context, store, remove } = await testStore();
      t.teardown(remove);
      const layer = layerOf([{ path: 'file', content: compression }], compression, docker);
      await pushImage(registry.host, `kind-${compression}-${docker}`, '1', imageOf([layer], { docker }));
      await pullImage(context, `${registry.host}/kind-${compression}-${docker}:1`);
      const [dir = ''] = resolveImage(
        store.paths,
        `${registry.host}/kind-${compression}-${docker}:1`,
      ).layerDirs;
      t.is(readFileSync(join(dir, 'file'), 'utf8'), compression);
    });
  }
}

test('a layer that needs those below lies under its chain ID and has their attributes', async (t) => {
  const { context, store, remove } = await testStore();
  t.teardown(remove);
  const implied = layerOf([{ path: 'bin/new', content: 'n' }]);
  await pushImage(registry.host, 'implied', '1', imageOf([base, implied]));
  await pullImage(context, `${registry.host}/implied:1`);
  const [dir = ''] = resolveImage(store.paths, `${registry.host}/implied:1`).layerDirs;
  t.not(dir, store.paths.layer(implied.diffId.slice(7)));
  const parent = statSync(join(dir, 'bin'));
  t.deepEqual([parent.mode & 0o7777, parent.uid], [0o700, 7]);
});

test('concurrent pulls of the same blobs fetch and unpack each once', async (t) => {
  const { context, content, remove } = await testStore();
  t.teardown(remove);
  const image = imageOf([base, top]);
  await pushImage(registry.host, 'crowd', '1', image);
  await pushImage(registry.host, 'crowd', '2', image);
  const events: PullEvent[] = [];
  const pull = (tag: string) =>
    pullImage(context, `${registry.host}/crowd:${tag}`, { onEvent: (event) => events.push(event) });
  await Promise.all([pull('1'), pull('2'), pull('1')]);
  t.is(statuses(events).filter((line) => line.endsWith('Download complete')).length, 2);
  t.is(statuses(events).filter((line) => line.endsWith('Pull complete')).length, 2);
  t.deepEqual((await content()).staging, []);
});

test('an index: this machine is chosen, its digest is the one that is recorded', async (t) => {
  const { context, store, remove } = await testStore();
  t.teardown(remove);
  const own = imageOf([base]);
  const other = imageOf([top], { config: { architecture: 's390x' } });
  await pushImage(registry.host, 'multi', 'own', own);
  await pushImage(registry.host, 'multi', 'other', other);
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const index = indexOf([
    { image: other, platform: { os: 'linux', architecture: 's390x' } },
    { image: other, platform: { os: 'unknown', architecture: 'unknown' } },
    { image: own, platform: { os: 'linux', architecture } },
  ]);
  await pushManifest(registry.host, 'multi', 'latest', index.bytes, index.mediaType);
  const result = await pullImage(context, `${registry.host}/multi`);
  t.is(result.digest as string, index.digest);
  t.is(result.imageId as string, own.id);
  t.is(resolveImage(store.paths, `${registry.host}/multi@${index.digest}`).id as string, own.id);
  const chosen = await pullImage(context, `${registry.host}/multi`, { platform: 'linux/s390x' });
  t.is(chosen.imageId as string, other.id);
  const error = await t.throwsAsync(
    pullImage(context, `${registry.host}/multi`, { platform: 'linux/arm64' }),
  );
  t.is(error?.message, 'no matching manifest for linux/arm64/v8 in the manifest list entries');
});

test('by digest there is no tag, and the digest is what comes', async (t) => {
  const { context, store, remove } = await testStore();
  t.teardown(remove);
  const image = imageOf([base]);
  await pushImage(registry.host, 'pinned', '1', image);
  const name = `${registry.host}/pinned@${image.digest}`;
  const result = await pullImage(context, `${registry.host}/pinned:9@${image.digest}`);
  t.is(result.reference, name);
  t.deepEqual(resolveImage(store.paths, name).references, [name]);
});

test('a short name goes to the mirror of docker.io', async (t) => {
  const { context, remove } = await testStore({ certsDir: registry.certsDir });
  t.teardown(remove);
  await pushImage(registry.host, 'library/small', 'latest', imageOf([base]));
  t.is((await pullImage(context, 'small')).reference, 'docker.io/library/small:latest');
});

test("what is not there is said in Docker's words", async (t) => {
  const { context, content, remove } = await testStore();
  t.teardown(remove);
  const error = await t.throwsAsync<TsrunError>(pullImage(context, `${registry.host}/nothing:1`));
  t.is(
    error?.message,
    `manifest for ${registry.host}/nothing:1 not found: manifest unknown: manifest unknown`,
  );
  t.is(error?.code, 'NOT_FOUND');
  t.deepEqual(await content(), { layers: [], blobs: [], staging: [], trash: [] });
});

test('wrong diff IDs are found while unpacking; nothing of that image can be seen', async (t) => {
  const { context, store, content, remove } = await testStore();
  t.teardown(remove);
  const lie: MadeImage = imageOf([{ ...base, diffId: top.diffId }]);
  await pushImage(registry.host, 'lie', '1', lie);
  const error = await t.throwsAsync<TsrunError>(pullImage(context, `${registry.host}/lie:1`));
  t.is(error?.code, 'CONTENT');
  t.false(existsSync(store.paths.layer(hexOf(parseDigest(top.diffId)))));
  t.deepEqual(await content(), { layers: [], blobs: [], staging: [], trash: [] });
});

test('an image removed in the middle of a pull takes no layer that the pull counts on', async (t) => {
  const { context, store, remove } = await testStore();
  t.teardown(remove);
  await pushImage(registry.host, 'old', '1', imageOf([base]));
  await pushImage(registry.host, 'new', '1', imageOf([base, top]));
  await pullImage(context, `${registry.host}/old:1`);
  let removal: Promise<unknown> | undefined;
  await pullImage(context, `${registry.host}/new:1`, {
    onEvent: (event) => {
      if (event.kind === 'layer' && event.status === 'Already exists')
        removal ??= removeImage(context, `${registry.host}/old:1`);
    },
  });
  await removal;
  t.is(resolveImage(store.paths, `${registry.host}/new:1`).layerDirs.length, 2);
});

test('a registry that is not there is an error at once, with the reason', async (t) => {
  const { context, remove } = await testStore();
  t.teardown(remove);
  const error = await t.throwsAsync<TsrunError>(pullImage(context, `127.0.0.1:${await freePort()}/x`));
  t.is(error?.code, 'REGISTRY');
  t.regex(error?.message ?? '', /: connection refused$/);
});

for (const docker of [false, true])
  test(`skopeo and umoci read the store in place: ${docker ? 'a Docker' : 'an OCI'} image`, async (t) => {
    const { context, store, content, remove } = await testStore({ certsDir: registry.certsDir });
    t.teardown(remove);
    const image = imageOf([layerOf([{ path: 'x', content: String(docker) }], 'gzip', docker), top], {
      docker,
    });
    await pushImage(registry.host, `library/shared-${docker}`, '7', image);
    await pullImage(context, `shared-${docker}:7`);
    const name = `docker.io/library/shared-${docker}:7`;
    const source = `oci:${store.paths.oci}:${name}`;
    const config = execFileSync('skopeo', ['inspect', '--config', source], { encoding: 'utf8' });
    t.deepEqual(
      JSON.parse(config).rootfs.diff_ids,
      image.layers.map((layer) => layer.diffId),
    );
    execFileSync('skopeo', ['copy', '-q', source, `dir:${join(store.paths.staging, 'copy')}`]);
    const at = `${store.paths.oci}:${name}`;
    t.is(
      JSON.parse(execFileSync('umoci', ['stat', '--image', at, '--json'], { encoding: 'utf8' })).history
        .length,
      2,
    );
    t.true(execFileSync('umoci', ['ls', '--layout', store.paths.oci], { encoding: 'utf8' }).includes(name));
    t.is(resolveImage(store.paths, `shared-${docker}@${image.digest}`).id as string, image.id);
    t.true((await pullImage(context, `shared-${docker}:7`)).upToDate);
    await removeImage(context, `shared-${docker}:7`);
    t.deepEqual((await content()).blobs, []);
  });

test('a pull that is cancelled leaves no work behind, and a removed image no content', async (t) => {
  const { context, content, remove } = await testStore();
  t.teardown(remove);
  const stop = new AbortController();
  await pushImage(registry.host, 'stop', '1', imageOf([base]));
  const onEvent = (event: PullEvent) => {
    if (event.kind === 'layer' && event.status === 'Downloading') stop.abort();
  };
  const error = await t.throwsAsync<TsrunError>(
    pullImage(context, `${registry.host}/stop:1`, { signal: stop.signal, onEvent }),
  );
  t.is(error?.code, 'CANCELLED');
  t.deepEqual((await content()).staging, []);
  await pullImage(context, `${registry.host}/stop:1`);
  const gone = await removeImage(context, `${registry.host}/stop:1`);
  t.is(gone.length, 4);
  t.deepEqual(await content(), { layers: [], blobs: [], staging: [], trash: [] });
});
