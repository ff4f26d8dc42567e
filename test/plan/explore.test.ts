import test from 'ava';
import { textOf } from '../../src/plan/byte-text.js';
import { planExplore } from '../../src/plan/explore.js';
import { LayerMerge } from '../../src/plan/layer-merge.js';
import type { ExploredNode, ListedNode } from '../../src/types/explore.js';
import type { DiffId, Digest, ImageId } from '../../src/types/ids.js';

type Fields = Partial<ListedNode>;

const node = (type: ListedNode['type'], name: string, fields: Fields): ListedNode => ({
  type,
  name,
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: '1.000000000',
  links: 0,
  xattrs: '0',
  ...fields,
});
const file = (name: string, size: number, fields: Fields = {}) => node('file', name, { size, ...fields });
const dir = (name: string, children: ListedNode[], fields: Fields = {}) =>
  node('directory', name, { mode: 0o755, children, ...fields });
const gone = (name: string) => node('whiteout', name, { mode: 0 });
const link = (name: string, target: string) => node('symlink', name, { mode: 0o777, target });

function merged(...layers: ListedNode[][]): LayerMerge {
  const merge = new LayerMerge();
  for (const layer of layers) merge.add(layer);
  return merge;
}

/** "+ etc/passwd 10" per line: what a person would see. */
function text(nodes: readonly ExploredNode[], parent = ''): string[] {
  const marks = { added: '+', changed: '~', removed: '-', unchanged: ' ' };
  return nodes.flatMap((each) => {
    const path = parent + each.name;
    const own = `${marks[each.change]} ${path} ${each.size}${each.hides ? ` hides ${each.hides}` : ''}`;
    return [own, ...text(each.children ?? [], `${path}/`)];
  });
}

const sums = (merge: LayerMerge) => merge.layers.map(({ size, hides, wasted }) => ({ size, hides, wasted }));

test('a first layer adds all it has', (t) => {
  const merge = merged([dir('etc', [file('hosts', 5), file('passwd', 10)]), link('lib', 'usr/lib')]);
  t.deepEqual(text(merge.layers[0]?.tree ?? []), ['+ etc 15', '+ etc/hosts 5', '+ etc/passwd 10', '+ lib 0']);
  t.like(merge.layers[0], { size: 15, added: { entries: 4, bytes: 15 }, hides: 0, wasted: 0 });
  t.is(merge.layers[0]?.tree[1]?.target, 'usr/lib');
});

test('a file that is replaced is changed, and its old bytes are wasted where they lie', (t) => {
  const merge = merged(
    [dir('etc', [file('passwd', 10)])],
    [dir('etc', [file('passwd', 12, { mtime: '2.0', mode: 0o600 })])],
  );
  const [etc] = merge.layers[1]?.tree ?? [];
  t.is(etc?.change, 'unchanged');
  t.like(etc?.children?.[0], {
    change: 'changed',
    differs: ['size', 'time', 'mode'],
    size: 12,
    hides: 10,
    was: { type: 'file', size: 10, mode: 0o644, layer: 0 },
  });
  t.deepEqual(sums(merge), [
    { size: 10, hides: 0, wasted: 10 },
    { size: 12, hides: 10, wasted: 0 },
  ]);
  t.is(merge.layers[0]?.tree[0]?.children?.[0]?.hiddenBy, 1);
  t.is(merge.layers[0]?.tree[0]?.hiddenBy, undefined);
  t.deepEqual(merge.waste(), [
    { path: '/etc/passwd', bytes: 10, copies: [{ layer: 0, bytes: 10, hiddenBy: 1, removed: false }] },
  ]);
});

test('a file that was written again as it was differs in nothing, and costs as much', (t) => {
  const merge = merged([file('a', 7)], [file('a', 7)]);
  t.like(merge.layers[1]?.tree[0], { change: 'changed', differs: [], hides: 7 });
});

test('a directory is changed by its owner, its mode and its attributes, not by what is in it', (t) => {
  const merge = merged(
    [dir('a', []), dir('b', []), dir('c', []), dir('d', [])],
    [
      dir('a', [], { uid: 5 }),
      dir('b', [], { mode: 0o700 }),
      dir('c', [], { xattrs: 'f00' }),
      dir('d', [], { mtime: '9.0' }),
    ],
  );
  t.deepEqual(
    merge.layers[1]?.tree.map(({ change, differs }) => [change, differs]),
    [
      ['changed', ['owner']],
      ['changed', ['mode']],
      ['changed', ['attributes']],
      ['unchanged', undefined],
    ],
  );
});

test('a whiteout removes a whole tree, of all layers that it is made of', (t) => {
  const merge = merged(
    [dir('var', [dir('cache', [file('a', 100), file('b', 50)])])],
    [dir('var', [dir('cache', [file('b', 60), file('c', 7)])])],
    [dir('var', [gone('cache')])],
  );
  t.deepEqual(text(merge.layers[2]?.tree ?? []), [
    '  var 0 hides 167',
    '- var/cache 0 hides 167',
    '- var/cache/a 0 hides 100',
    '- var/cache/b 0 hides 60',
    '- var/cache/c 0 hides 7',
  ]);
  t.deepEqual(sums(merge), [
    { size: 150, hides: 0, wasted: 150 },
    { size: 67, hides: 50, wasted: 67 },
    { size: 0, hides: 167, wasted: 0 },
  ]);
  t.deepEqual(merge.layers[2]?.removed, { entries: 4, bytes: 167 });
  t.deepEqual(
    [0, 1].map((i) => merge.layers[i]?.tree[0]?.children?.[0]?.hiddenBy),
    [2, 2],
  );
  t.deepEqual(
    merge.waste().map(({ path, bytes, copies }) => [path, bytes, copies.length]),
    [
      ['/var/cache/b', 110, 2],
      ['/var/cache/a', 100, 1],
      ['/var/cache/c', 7, 1],
    ],
  );
});

test('a whiteout of what is not there says nothing', (t) => {
  const merge = merged([file('a', 1)], [gone('b')]);
  t.deepEqual(merge.layers[1]?.tree, []);
  t.is(merge.layers[1]?.removed.entries, 0);
});

test('an opaque directory removes what it does not have itself, at any depth', (t) => {
  const merge = merged(
    [dir('d', [file('keep', 1), file('lost', 2), dir('sub', [file('deep', 4), file('same', 8)])])],
    [dir('d', [file('keep', 1), file('new', 16), dir('sub', [file('same', 32)])], { opaque: true })],
    [dir('d', [file('lost', 64)])],
  );
  t.deepEqual(text(merge.layers[1]?.tree ?? []), [
    '  d 49 hides 15',
    '~ d/keep 1 hides 1',
    '- d/lost 0 hides 2',
    '+ d/new 16',
    '  d/sub 32 hides 12',
    '- d/sub/deep 0 hides 4',
    '~ d/sub/same 32 hides 8',
  ]);
  t.true(merge.layers[1]?.tree[0]?.opaque);
  t.deepEqual(text(merge.layers[2]?.tree ?? []), ['  d 64', '+ d/lost 64']);
});

test('another type in its place hides all that was there', (t) => {
  const merge = merged(
    [dir('a', [file('x', 3), file('y', 4)]), file('b', 5)],
    [link('a', 'b'), dir('b', [file('z', 6)])],
  );
  t.deepEqual(text(merge.layers[1]?.tree ?? []), ['~ a 0 hides 7', '~ b 6 hides 5', '+ b/z 6']);
  t.deepEqual(merge.layers[1]?.tree[0]?.differs, ['type']);
  t.is(merge.layers[1]?.tree[0]?.was?.type, 'directory');
});

test('a file with several names counts once, and is wasted when the last name is gone', (t) => {
  const names = [file('a', 10, { links: 1 }), file('b', 10, { links: 1 })];
  const merge = merged(names, [gone('a')], [gone('b')]);
  t.deepEqual(text(merge.layers[0]?.tree ?? []), ['+ a 10', '+ b 0']);
  t.true(merge.layers[0]?.tree[1]?.hardLink);
  t.deepEqual(sums(merge), [
    { size: 10, hides: 0, wasted: 10 },
    { size: 0, hides: 0, wasted: 0 },
    { size: 0, hides: 10, wasted: 0 },
  ]);
});

test('numbers of hard links are of one layer', (t) => {
  const merge = merged([file('a', 10, { links: 1 })], [file('b', 20, { links: 1 })]);
  t.deepEqual(
    sums(merge).map(({ size }) => size),
    [10, 20],
  );
});

test('names that are no UTF-8 are told as text and as bytes, and are told apart', (t) => {
  const merge = merged([file('f\xff', 1), file('f\\xff', 2), file('\xc3\xa9', 3)], [gone('f\xff')]);
  t.deepEqual(
    merge.layers[0]?.tree.map(({ name, nameHex, hiddenBy }) => [name, nameHex, hiddenBy]),
    [
      ['f\\xff', '66ff', 1],
      ['f\\xff', undefined, undefined],
      ['é', undefined, undefined],
    ],
  );
  t.deepEqual(
    merge.waste().map(({ path, pathHex }) => [path, pathHex]),
    [['/f\\xff', '2f66ff']],
  );
});

test('bytes are text where they can be', (t) => {
  t.deepEqual(textOf('plain'), { text: 'plain' });
  t.deepEqual(textOf(Buffer.from('höhe€😀').toString('latin1')), { text: 'höhe€😀' });
  t.deepEqual(textOf(`${Buffer.from('ö').toString('latin1')}\xc3(\x80`), {
    text: 'ö\\xc3(\\x80',
    hex: 'c3b6c32880',
  });
});

test('steps of the history find their layers, whatever the history says', (t) => {
  const explore = (history: object[] | undefined, count: number) =>
    planExplore({
      id: 'sha256:1' as ImageId,
      tags: ['a:1'],
      config: {
        architecture: 'amd64',
        os: 'linux',
        rootfs: {
          type: 'layers',
          diff_ids: Array.from({ length: count }, (_, i) => `sha256:${i}` as DiffId),
        },
        history,
      },
      manifest: {
        schemaVersion: 2,
        config: { mediaType: '', digest: 'sha256:c' as Digest, size: 1 },
        layers: Array.from({ length: count }, (_, i) => ({
          mediaType: '',
          digest: `sha256:b${i}` as Digest,
          size: i,
        })),
      },
      layers: Array.from({ length: count }, () => []),
    });
  const usual = explore(
    [
      { created_by: 'ADD x' },
      { created_by: 'ENV A=1', empty_layer: true },
      { created_by: 'RUN y', comment: 'c' },
    ],
    2,
  );
  t.deepEqual(
    usual.history.map(({ layer, createdBy }) => [layer, createdBy]),
    [
      [0, 'ADD x'],
      [undefined, 'ENV A=1'],
      [1, 'RUN y'],
    ],
  );
  t.like(usual.layers[1], {
    createdBy: 'RUN y',
    comment: 'c',
    diffId: 'sha256:1',
    digest: 'sha256:b1',
    blobSize: 1,
  });
  t.deepEqual(
    explore(undefined, 2).layers.map(({ createdBy }) => createdBy),
    ['', ''],
  );
  t.deepEqual(
    explore([{ created_by: 'a' }, { created_by: 'b' }], 1).layers.map(({ createdBy }) => createdBy),
    ['a'],
  );
  t.is(explore([{ created_by: 'a' }, { created_by: 'b' }], 1).history[1]?.layer, undefined);
});
