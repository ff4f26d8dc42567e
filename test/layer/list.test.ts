import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ListParser, listLayers } from '../../src/layer/list.js';
import type { ListedNode } from '../../src/types/explore.js';
import { apply, emptyDir, HELPER, tempDir } from './fixture.js';
import { dir, entry, file, hardLink, symlink, tar } from './tar-builder.js';

/** path -> what it is, names as bytes. */
function flat(nodes: readonly ListedNode[], parent = ''): Record<string, ListedNode> {
  return Object.assign(
    {},
    ...nodes.map((node) => {
      const path = parent + node.name;
      return { [path]: node, ...flat(node.children ?? [], `${path}/`) };
    }),
  );
}

const list = async (...dirs: string[]) =>
  (await listLayers({ helperPath: HELPER, dirs })).map((nodes) => flat(nodes));

test('all kinds of nodes of an unpacked layer, whiteouts and opaque directories among them', async (t) => {
  const base = tempDir(t);
  const lower = emptyDir(base);
  const layer = emptyDir(base);
  await apply(tar(dir('d'), file('d/old', 'old'), dir('o'), file('o/x', 'x')), lower, []);
  const parts = [
    dir('d', { mode: 0o1777, uid: 5, gid: 6 }),
    file('d/.wh.old'),
    dir('o'),
    file('o/.wh..wh..opq'),
    file('f', 'four', { mode: 0o4755, mtime: 1234567890, pax: { 'SCHILY.xattr.user.a': 'b' } }),
    hardLink('g', 'f'),
    symlink('l', '/else/where'),
    entry({ name: 'null', type: '3', major: 1, minor: 3 }),
    entry({ name: 'disk', type: '4', major: 254 }),
    entry({ name: 'pipe', type: '6' }),
  ];
  await apply(tar(...parts), layer, [lower]);
  const [below, nodes] = await list(lower, layer);
  t.deepEqual(Object.keys(below ?? {}), ['d', 'd/old', 'o', 'o/x']);
  const types = Object.fromEntries(Object.entries(nodes ?? {}).map(([path, node]) => [path, node.type]));
  t.deepEqual(types, {
    d: 'directory',
    'd/old': 'whiteout',
    disk: 'block',
    f: 'file',
    g: 'file',
    l: 'symlink',
    null: 'char',
    o: 'directory',
    pipe: 'fifo',
  });
  t.like(nodes?.d, { mode: 0o1777, uid: 5, gid: 6, opaque: undefined });
  t.true(nodes?.o?.opaque);
  t.like(nodes?.f, { mode: 0o4755, size: 4, mtime: '1234567890.000000000' });
  t.not(nodes?.f?.xattrs, nodes?.pipe?.xattrs);
  t.deepEqual([nodes?.f?.links, nodes?.g?.links, nodes?.pipe?.links], [1, 1, 0]);
  t.is(nodes?.l?.target, '/else/where');
});

test('names are bytes, sorted by them, and links lead nowhere', async (t) => {
  const base = tempDir(t);
  const victim = emptyDir(base);
  writeFileSync(join(victim, 'secret'), 'x');
  const layer = emptyDir(base);
  for (const name of ['a\xff', 'a\n\x1b[31m', 'b c'])
    writeFileSync(Buffer.concat([Buffer.from(`${layer}/`), Buffer.from(name, 'latin1')]), '');
  symlinkSync(victim, join(layer, 'z'));
  const [nodes] = await list(layer);
  t.deepEqual(Object.keys(nodes ?? {}), ['a\n\x1b[31m', 'a\xff', 'b c', 'z']);
});

test('layers that are many, empty or deep', async (t) => {
  const base = tempDir(t);
  const dirs = Array.from({ length: 600 }, () => emptyDir(base));
  mkdirSync(join(dirs[599] as string, ...Array.from({ length: 900 }, () => 'd')), { recursive: true });
  writeFileSync(join(dirs[300] as string, 'one'), '1');
  linkSync(join(dirs[300] as string, 'one'), join(dirs[300] as string, 'two'));
  const layers = await list(...dirs);
  t.is(layers.length, 600);
  t.deepEqual(Object.keys(layers[300] ?? {}), ['one', 'two']);
  t.is(Object.keys(layers[599] ?? {}).length, 900);
  t.deepEqual(await listLayers({ helperPath: HELPER, dirs: [] }), []);
});

test('tens of thousands of files are listed', async (t) => {
  const layer = emptyDir(tempDir(t));
  execFileSync('sh', ['-c', 'mkdir $(seq 100) && for d in *; do (cd $d && touch $(seq 300)); done'], {
    cwd: layer,
  });
  const [nodes] = await listLayers({ helperPath: HELPER, dirs: [layer] });
  t.is(nodes?.length, 100);
  t.true(nodes?.every(({ children }) => children?.length === 300));
});

test('records may be cut anywhere, and what is malformed is refused', (t) => {
  const text = 'd 0 493 0 0 0 1.0 0 0 a\0l 1 511 0 0 0 1.0 0 0 b c\0x y\0f 0 420 1 2 3 4.5 0 ff z\0\0\0';
  for (let cut = 0; cut <= text.length; cut++) {
    const parser = new ListParser();
    parser.feed(Buffer.from(text.slice(0, cut), 'latin1'));
    parser.feed(Buffer.from(text.slice(cut), 'latin1'));
    t.is(parser.rest, '');
    t.is(parser.count, 3);
    t.deepEqual(
      parser.layers.map((layer) => Object.keys(flat(layer))),
      [['a', 'a/b c', 'z'], []],
    );
  }
  for (const bad of [
    'q 0 0 0 0 0 1.0 0 0 a\0',
    'f 1 0 0 0 0 1.0 0 0 a\0',
    'f 0 0 0\0',
    'f 0 0 0 0 0 1.0 0\0',
  ])
    t.throws(() => new ListParser().feed(Buffer.from(bad)), { message: /malformed/ }, bad);
});

test('a directory that is not there is the error', async (t) => {
  await t.throwsAsync(list(join(tempDir(t), 'none')), {
    message: /cannot read the layers: .*none: no such file/,
  });
});
