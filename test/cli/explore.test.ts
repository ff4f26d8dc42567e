import test from 'ava';
import { Explorer } from '../../cli/explore/explorer.js';
import { instructionOf } from '../../cli/explore/instruction.js';
import { KeyReader } from '../../cli/explore/keys.js';
import { pageOf } from '../../cli/explore/page.js';
import { drawScreen } from '../../cli/explore/screen.js';
import { barOf, modeText, themeOf } from '../../cli/explore/style.js';
import { jsonOf, summaryOf } from '../../cli/explore/summary.js';
import { filesUpTo, type Row, rowsOf } from '../../cli/explore/tree-rows.js';
import { displayWidth, toWidth, wrap } from '../../cli/render/width.js';
import type { ExploredNode, ImageExploration, LayerChange } from '../../src/types/explore.js';
import type { DiffId, Digest, ImageId } from '../../src/types/ids.js';
import { EVIL } from '../helpers/explored-image.js';

const PLAIN = themeOf({ NO_COLOR: '1', LANG: 'C.UTF-8' });
const ALL = new Set<LayerChange>(['added', 'changed', 'removed', 'unchanged']);
const settings = { changes: ALL, search: '', bySize: false, folds: new Map<string, boolean>(), open: true };

function node(name: string, fields: Partial<ExploredNode> = {}): ExploredNode {
  const type = fields.children ? 'directory' : 'file';
  return { name, type, change: 'added', mode: 0o644, uid: 0, gid: 0, size: 0, ...fields };
}
const was = { type: 'file', mode: 0o644, uid: 0, gid: 0, size: 5, layer: 0 } as const;

function image(...trees: ExploredNode[][]): ImageExploration {
  const none = { entries: 0, bytes: 0 };
  return {
    version: 1,
    id: `sha256:${'1'.repeat(64)}` as ImageId,
    tags: ['app:1'],
    architecture: 'amd64',
    os: 'linux',
    size: 1000,
    wasted: 15,
    layers: trees.map((tree, i) => ({
      diffId: `sha256:${i}` as DiffId,
      digest: `sha256:b${i}` as Digest,
      blobSize: 10,
      createdBy: `RUN step ${i}`,
      size: 500,
      added: { entries: 1, bytes: 5 },
      changed: none,
      removed: none,
      hides: 0,
      wasted: 0,
      tree,
    })),
    history: [],
    waste: [{ path: '/etc/a', bytes: 15, copies: [{ layer: 0, bytes: 15, hiddenBy: 1, removed: true }] }],
  };
}

const two = () =>
  image(
    [
      node('etc', { size: 30, children: [node('a', { size: 5, hiddenBy: 1 }), node('b', { size: 25 })] }),
      node('x', { size: 3 }),
    ],
    [
      node('etc', {
        change: 'unchanged',
        size: 7,
        hides: 5,
        children: [
          node('a', { change: 'removed', hides: 5, was }),
          node('b', { change: 'changed', size: 7, differs: ['size'], was: { ...was, size: 25 } }),
        ],
      }),
    ],
  );

const names = (rows: readonly Row[]) => rows.map(({ node: { name }, depth }) => ' '.repeat(depth) + name);

test('keys come by name, whole, in pieces, and several at once', (t) => {
  const bytes = (text: string) => Buffer.from(text);
  const reader = new KeyReader();
  t.deepEqual(reader.feed(bytes('jk\x1b[A\x1bOB\x1b[5~\t\r q')), [
    ...['j', 'k', 'up', 'down', 'pageup', 'tab', 'enter', 'space', 'q'],
  ]);
  t.deepEqual(reader.feed(bytes('\x1b[')), []);
  t.true(reader.waiting);
  t.deepEqual(reader.feed(bytes('C')), ['right']);
  t.false(reader.waiting);
  t.deepEqual([...reader.feed(bytes('\x1b')), ...reader.flush(), ...reader.flush()], ['escape']);
  const [first, second] = [bytes('é').subarray(0, 1), bytes('é').subarray(1)];
  t.deepEqual([...reader.feed(first), ...reader.feed(second)], ['é']);
  t.deepEqual(reader.feed(bytes('\x1b[?1;2c\x1b[200~\x00\x01')), []);
  t.deepEqual(reader.feed(bytes('\x03\x1a\x7f')), ['ctrl-c', 'ctrl-z', 'backspace']);
});

test('instructions read as in a Dockerfile', (t) => {
  const cases: [string, string][] = [
    ['/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'],
    ['/bin/sh -c apt-get update', 'RUN apt-get update'],
    ['RUN /bin/sh -c set -eux;\t\tmake # buildkit', 'RUN set -eux; make'],
    ['RUN |1 V=3 /bin/sh -c make # buildkit', 'RUN make'],
    ['|2 A=1 B=2 /bin/sh -c make', 'RUN make'],
    ['COPY a b # buildkit', 'COPY a b'],
    ['bash', 'bash'],
  ];
  for (const [said, read] of cases) t.is(instructionOf(said), read);
  t.is(instructionOf('', 'added vim'), 'added vim');
  t.regex(instructionOf(''), /does not say/);
});

test('text takes as many columns as it should', (t) => {
  t.is(displayWidth('aé世😀e\u0301'), 7);
  for (const width of [1, 2, 3, 4, 5, 9]) t.is(displayWidth(toWidth('世界 world', width)), width);
  t.is(toWidth('abc', 5), 'abc  ');
  t.is(toWidth('abcdef', 4), 'abc…');
  t.deepEqual(wrap('one two three', 7, 5), ['one two', 'three']);
  t.deepEqual(wrap('abcdefghij', 4, 5), ['abcd', 'efgh', 'ij']);
  t.deepEqual(wrap('one two three four', 7, 2), ['one two', 'three …']);
});

test('modes and bars', (t) => {
  t.is(modeText('directory', 0o1777), 'drwxrwxrwt');
  t.is(modeText('file', 0o6744), '-rwsr-Sr--');
  t.is(modeText('symlink', 0o777), 'lrwxrwxrwx');
  t.is(barOf(PLAIN.glyphs, 0, 4), '    ');
  t.is(barOf(PLAIN.glyphs, 1e-9, 4), '▏   ');
  t.is(barOf(PLAIN.glyphs, 0.5, 4), '██  ');
  t.is(barOf(PLAIN.glyphs, 1, 4), '████');
});

test('rows: folded, filtered, found, by size', (t) => {
  const tree = two().layers[1]?.tree ?? [];
  const rows = (more: Partial<typeof settings>) => names(rowsOf(tree, { ...settings, ...more }));
  t.deepEqual(rows({}), ['etc', ' a', ' b']);
  t.deepEqual(rows({ open: false }), ['etc']);
  t.deepEqual(rows({ folds: new Map([['/etc', false]]) }), ['etc']);
  t.deepEqual(rows({ changes: new Set(['removed']) }), ['etc', ' a']);
  t.deepEqual(rows({ changes: new Set(['added']) }), []);
  t.deepEqual(rows({ search: 'B' }), []);
  t.deepEqual(rows({ search: 'b', open: false }), ['etc', ' b']);
  t.deepEqual(rows({ search: 'etc/b', open: false }), ['etc', ' b']);
  t.deepEqual(rows({ search: 'et' }), ['etc', ' a', ' b']);
  t.deepEqual(rows({ bySize: true }), ['etc', ' b', ' a']);
});

test('all files up to a layer: as a container sees them, and what goes with it', (t) => {
  const explored = two();
  const shown = (layer: number) =>
    rowsOf(filesUpTo(explored, layer), settings).map(({ node: n }) => [n.name, n.change, n.size]);
  t.deepEqual(shown(0), [
    ['etc', 'added', 30],
    ['a', 'added', 5],
    ['b', 'added', 25],
    ['x', 'added', 3],
  ]);
  t.deepEqual(shown(1), [
    ['etc', 'unchanged', 7],
    ['a', 'removed', 0],
    ['b', 'changed', 7],
    ['x', 'unchanged', 3],
  ]);
});

test('a removed directory is gone from the next layer on', (t) => {
  const gone = image(
    [node('d', { size: 1, children: [node('f', { size: 1 })] })],
    [node('d', { change: 'removed', hides: 1, children: [node('f', { change: 'removed', hides: 1 })] })],
    [node('d', { children: [node('g')] })],
  );
  t.deepEqual(names(rowsOf(filesUpTo(gone, 1), settings)), ['d', ' f']);
  t.deepEqual(names(rowsOf(filesUpTo(gone, 2), settings)), ['d', ' g']);
});

test('the explorer: keys move, fold, filter, search and leave', (t) => {
  const explorer = new Explorer(two());
  const press = (...keys: string[]) => keys.map((key) => explorer.press(key)).at(-1);
  const seen = () => names(explorer.rows);
  press('j');
  t.is(explorer.layers.at, 1);
  press('j', 'down');
  t.is(explorer.layers.at, 1, 'there is no third layer');
  press('tab');
  t.is(explorer.pane, 'files');
  press('enter');
  t.deepEqual(seen(), ['etc']);
  press('right', 'right');
  t.deepEqual([seen(), explorer.files.at], [['etc', ' a', ' b'], 1]);
  press('left');
  t.is(explorer.files.at, 0, 'the directory that it is in');
  press('r');
  t.deepEqual([seen(), explorer.hidden], [['etc', ' b'], ['removed']]);
  press('escape', '/', 'a');
  t.deepEqual([seen(), explorer.typing], [['etc', ' a'], true]);
  press('q', 'backspace', 'enter');
  t.deepEqual([seen(), explorer.typing, explorer.pane], [['etc', ' a'], false, 'files']);
  press('escape', 'v');
  t.deepEqual(seen(), ['etc', ' a', ' b', 'x']);
  press('v');
  t.deepEqual([explorer.view, explorer.length], ['waste', 1]);
  press('w', '?');
  t.true(explorer.help);
  t.false(press('q'));
  t.false(explorer.help);
  t.true(press('q'));
  t.true(explorer.press('ctrl-c'));
});

test('an image without layers can be looked at', (t) => {
  const explorer = new Explorer({ ...image(), waste: [] });
  for (const key of ['j', 'tab', 'enter', 'left', '*', 'v', 'v', '/', 'x', 'enter', 'G']) explorer.press(key);
  t.is(drawScreen(explorer, { rows: 20, cols: 100 }, PLAIN).length, 20);
  t.regex(summaryOf(image()), /Layers: {2}0/);
});

test('every screen has the size of the terminal, and says what it shows', (t) => {
  const explorer = new Explorer(two());
  for (const [rows, cols] of [
    [24, 80],
    [50, 200],
    [6, 24],
    [10, 79],
    [3, 10],
    [1, 1],
  ] as const)
    for (const key of ['j', 'tab', 'v', 'v', 'v', '?', '?', '/', 'escape', 'tab']) {
      explorer.press(key);
      const lines = drawScreen(explorer, { rows, cols }, PLAIN).map((line) =>
        line.replaceAll(/\x1b\[[0-9;]*m/g, ''),
      );
      t.is(lines.length, rows);
      for (const line of lines) t.is(displayWidth(line), cols, `${rows}x${cols}: "${line}"`);
    }
  explorer.press('G');
  const text = drawScreen(explorer, { rows: 24, cols: 120 }, PLAIN).join('\n');
  t.regex(text, /app:1 {2}2 layers · 1kB · 15B wasted · 98.5% seen/);
  t.regex(text, /-5B - .*a {2}of layer 1/);
  t.regex(text, /7B ~ .*b {2}was 25B/);
});

test('colours and line drawing only where they are wanted', (t) => {
  const explorer = new Explorer(two());
  const draw = (env: Record<string, string>) =>
    drawScreen(explorer, { rows: 20, cols: 100 }, themeOf(env)).join('\n');
  t.regex(draw({ LANG: 'en_US.UTF-8' }), /\x1b\[32m/);
  t.notRegex(draw({ LANG: 'en_US.UTF-8', NO_COLOR: '1' }), /\x1b\[3\dm/);
  t.notRegex(draw({ LANG: 'C' }), /[^\x00-\x7f]/);
});

test('no name and no text of an image controls the terminal, the page or the JSON', (t) => {
  const evil = image([node(EVIL, { children: [node(EVIL), node('l', { type: 'symlink', target: EVIL })] })]);
  evil.tags = [];
  evil.architecture = EVIL;
  evil.waste = [{ path: EVIL, bytes: 1, copies: [] }];
  evil.history = [{ createdBy: EVIL }, { createdBy: EVIL, layer: 0 }];
  Object.assign(evil.layers[0] ?? {}, { createdBy: EVIL, comment: EVIL, created: EVIL });
  const explorer = new Explorer(evil);
  for (const key of ['tab', 'v', 'v', '/', EVIL, 'enter', 'v']) {
    const screen = drawScreen(explorer, { rows: 30, cols: 120 }, PLAIN).join('');
    t.notRegex(screen.replaceAll(/\x1b\[[0-9;]*m/g, ''), /[\x00-\x1f\x7f-\x9f\u202e]/);
    explorer.press(key);
  }
  t.notRegex(summaryOf(evil), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  t.notRegex(jsonOf(evil), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  t.deepEqual(JSON.parse(jsonOf(evil)), JSON.parse(JSON.stringify(evil)));
  const page = pageOf(evil, EVIL);
  t.is(page.match(/<script/g)?.length, 2);
  t.is(page.match(/<\/script/g)?.length, 2);
  t.notRegex(page, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  t.notRegex(page, /https?:|<b>|src=|href=/);
});

test('the summary: layers, biggest files, wasted space', (t) => {
  const lines = summaryOf(two())
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, ' '));
  for (const line of [
    'Wasted: 15B (98.5% of the bytes can be seen)',
    '1 500B 1 0 0 0B RUN step 0',
    '25B 1 /etc/b',
    '15B 1 removed by 2 /etc/a',
  ])
    t.true(lines.includes(line), line);
});
