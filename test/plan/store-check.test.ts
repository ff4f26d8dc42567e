import test from 'ava';
import { salvageDescriptors } from '../../src/plan/salvage-index.js';
import { judgeStore } from '../../src/plan/store-check.js';
import type { ImageLayerFacts, StoreFacts } from '../../src/plan/store-check-facts.js';
import type { ChainId, DiffId, Digest } from '../../src/types/ids.js';

const hex = (char: string) => char.repeat(64);
const id = (char: string) => `sha256:${hex(char)}`;

/** Blob a gives layer b; its key is that of its diff ID. */
const layer: ImageLayerFacts = {
  digest: id('a') as Digest,
  size: 10,
  diffId: id('b') as DiffId,
  chainId: id('b') as string as ChainId,
  key: hex('b'),
};
const image = { manifest: id('e') as Digest, names: ['app:1'], unreadable: [], layers: [layer] };
const container = {
  id: hex('c'),
  name: 'box',
  alive: false,
  torn: [],
  missing: [],
  layers: [hex('b')],
  image: 'app:1',
  unnamed: false,
};

function store(changes: Partial<StoreFacts> = {}): StoreFacts {
  return {
    indexWhole: true,
    initLayer: [],
    images: [image],
    blobs: new Map([[hex('a'), { size: 10, damaged: false }]]),
    layers: [{ key: hex('b'), record: { digest: layer.digest, diffId: layer.diffId } }],
    containers: [],
    volumes: [],
    leftovers: [],
    ...changes,
  };
}

/** "kind: problem -> remedy" of each damage. */
function told(changes: Partial<StoreFacts>): string[] {
  return judgeStore(store(changes)).map(
    ({ kind, problem, remedy, hint }) => `${kind}: ${problem} -> ${remedy?.do ?? hint ?? 'nothing'}`,
  );
}

test('a whole store has no damage', (t) => {
  t.deepEqual(told({ containers: [container], volumes: [{ name: 'v' }] }), []);
});

test('blobs: what is damaged goes, what is missing has to be pulled', (t) => {
  const blobs = (size: number, damaged: boolean) => ({ blobs: new Map([[hex('a'), { size, damaged }]]) });
  t.deepEqual(told(blobs(10, true)), ['blob: its bytes are not those of its digest -> remove-blob']);
  t.deepEqual(told(blobs(9, false)), ['blob: has 9 bytes in place of 10 -> remove-blob']);
  t.deepEqual(judgeStore(store(blobs(9, false)))[0]?.affects, ['app:1']);
  t.deepEqual(told({ blobs: new Map() }), ['blob: is missing -> pull or load the image again']);
  const plain = { ...layer, digest: layer.diffId as string as Digest };
  t.deepEqual(told({ blobs: new Map(), images: [{ ...image, layers: [plain] }] }), [
    'blob: is missing -> repack-blob',
  ]);
  const damaged = new Map([[hex('b'), { size: 10, damaged: true }]]);
  t.deepEqual(told({ blobs: damaged, images: [{ ...image, layers: [plain] }] }), [
    'blob: its bytes are not those of its digest -> repack-blob',
  ]);
});

test('layers: unpacked again from a whole blob; else set aside, or left if nothing proves the damage', (t) => {
  const broken = { key: hex('b'), problem: 'is not what its blob gives' };
  t.deepEqual(told({ layers: [broken] }), ['layer: is not what its blob gives -> rebuild-layer']);
  const none = { blobs: new Map(), images: [] };
  t.deepEqual(told({ ...none, layers: [broken] }), ['layer: is not what its blob gives -> quarantine-layer']);
  t.deepEqual(told({ ...none, layers: [{ ...broken, unproved: true }] }), [
    'layer: is not what its blob gives -> pull or load its image again, then check again',
  ]);
  const { key: _, ...absent } = layer;
  t.deepEqual(told({ layers: [], images: [{ ...image, layers: [absent] }] }), [
    'layer: is not unpacked -> rebuild-layer',
  ]);
  t.deepEqual(told({ layers: [], blobs: new Map(), images: [{ ...image, layers: [absent] }] }), [
    'blob: is missing -> pull or load the image again',
    'layer: is not unpacked -> pull or load the image again',
  ]);
});

test('a layer with a damaged blob is not unpacked from it', (t) => {
  const facts = {
    layers: [{ key: hex('b'), problem: 'has no record' }],
    blobs: new Map([[hex('a'), { size: 10, damaged: true }]]),
  };
  t.deepEqual(told(facts), [
    'blob: its bytes are not those of its digest -> remove-blob',
    'layer: has no record -> quarantine-layer',
  ]);
});

test('layers of one stack are mended from the bottom', (t) => {
  const upper: ImageLayerFacts = {
    digest: id('1') as Digest,
    size: 5,
    diffId: id('2') as DiffId,
    chainId: id('0') as string as ChainId,
    key: hex('0'),
  };
  const judged = judgeStore(
    store({
      images: [{ ...image, layers: [layer, upper] }],
      blobs: new Map([
        [hex('a'), { size: 10, damaged: false }],
        [hex('1'), { size: 5, damaged: false }],
      ]),
      layers: [
        { key: hex('0'), problem: 'x' },
        { key: hex('b'), problem: 'x' },
      ],
    }),
  );
  t.deepEqual(
    judged.map(({ subject }) => subject),
    [hex('b'), hex('0')],
  );
  t.like(judged[1]?.remedy, { do: 'rebuild-layer', origin: { below: [{ diffId: layer.diffId }] } });
});

test('nothing under a running container is touched', (t) => {
  const running = { ...container, alive: true };
  const broken = [{ key: hex('b'), problem: 'has no record' }];
  t.deepEqual(told({ layers: broken, containers: [running] }), [
    'layer: has no record -> stop box, then repair',
  ]);
  t.deepEqual(told({ initLayer: ['/proc'], containers: [running] }), [
    'layer: missing or changed: /proc -> stop box, then repair',
  ]);
  t.deepEqual(told({ containers: [{ ...running, torn: ['exit'] }] }), [
    'container: exit cannot be read -> stop box, then repair',
  ]);
});

test('containers and volumes: the data of users stays', (t) => {
  const of = (changes: object) => told({ containers: [{ ...container, ...changes }] });
  t.deepEqual(of({ torn: ['container.json'] }), [
    'container: its record cannot be read -> quarantine-container',
  ]);
  t.deepEqual(of({ torn: ['state'] }), ['container: state cannot be read -> quarantine-file']);
  t.deepEqual(of({ torn: ['launch.json'] }), [
    'container: launch.json cannot be read: it does not start -> copy or commit what you need of it, then: tsrun rm box',
  ]);
  t.deepEqual(of({ unnamed: true }), ['container: its name is not linked -> name-container']);
  t.deepEqual(of({ missing: ['lock'] }), ['container: its lock file is missing -> make-lock']);
  t.deepEqual(told({ images: [], layers: [], containers: [container] }), [
    'container: 1 of its layers are missing: bbbbbbbbbbbb -> pull or load app:1 again',
  ]);
  t.deepEqual(told({ volumes: [{ name: 'v', problem: 'torn record' }] }), [
    'volume: its record cannot be read -> write-volume-record',
  ]);
});

test('an image without its documents loses its names; the rest of it stays', (t) => {
  const unreadable = [{ digest: id('e') as Digest, problem: 'is missing from the store' }];
  t.deepEqual(told({ images: [{ ...image, unreadable, layers: [] }] }), [
    `image: ${id('e')} is missing from the store -> drop-image`,
  ]);
});

test('what is left of a torn image database is found', (t) => {
  const first = { digest: 'sha256:1', size: 1, annotations: { name: 'a "{" b' } };
  const second = { digest: 'sha256:2', size: 2, annotations: {} };
  const text = JSON.stringify({ schemaVersion: 2, manifests: [first, second, { digest: 'sha256:3' }] });
  t.deepEqual(salvageDescriptors(text.slice(0, -12)), [first, second]);
  t.deepEqual(salvageDescriptors(text.replace('"size":1', '"size:1')), [second, { digest: 'sha256:3' }]);
  t.deepEqual(salvageDescriptors('\0\0\0'), []);
});
