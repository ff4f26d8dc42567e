/** `image explore` as a user meets it: without a terminal, in tmux, and its page in Chromium. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import type { ImageExploration } from '../../src/types/explore.js';
import { run, Store, TSRUN } from '../helpers/cli.js';
import { archiveOf, EVIL, exploredImage } from '../helpers/explored-image.js';
import { Terminal } from '../helpers/terminal.js';

const image = exploredImage();
const dir = mkdtempSync(join(tmpdir(), 'tsrun-explore-'));
let store: Store;

test.serial.before(async () => {
  store = new Store();
  const archive = join(dir, 'image.tar');
  writeFileSync(archive, archiveOf(image, 'look:1'));
  await store.ok('load', '-i', archive);
});

test.after.always(async () => {
  await store.destroy();
  rmSync(dir, { recursive: true, force: true });
});

test('text: the layers, the biggest files, the wasted bytes; nothing that controls a terminal', async (t) => {
  const text = await store.ok('image', 'explore', 'look:1');
  t.is(await store.ok('image', 'explore', '--format', 'text', image.id.slice(7, 19)), text);
  const lines = text.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' '));
  for (const line of [
    'Layers: 4, 220kB',
    'Wasted: 120kB (45.4% of the bytes can be seen)',
    '1 170kB 10 0 0 120kB ADD file:1234 in /',
    '2 50kB 0 2 0 0B RUN useradd redis && chmod u+s /bin/tool',
    '3 0B 0 0 3 0B RUN rm -r /var/cache',
    '120kB 1 /var/cache/big',
    '120kB 1 removed by 3 /var/cache/big',
  ])
    t.true(lines.includes(line), `${line}\n${text}`);
  t.notRegex(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
});

test('json: everything, and the same as history says', async (t) => {
  const explored = JSON.parse(
    await store.ok('image', 'explore', '--format', 'json', 'look:1'),
  ) as ImageExploration;
  t.like(explored, { version: 1, id: image.id, tags: ['look:1'], os: 'linux', wasted: 120_012 });
  t.deepEqual(
    explored.layers.map(({ diffId }) => diffId as string),
    image.layers.map(({ diffId }) => diffId),
  );
  t.deepEqual(
    explored.history.map(({ layer }) => layer),
    [0, undefined, 1, 2, 3, undefined],
  );
  const [base, second, third, odd] = explored.layers;
  t.is(base?.tree[0]?.children?.[1]?.hiddenBy, 1);
  t.like(second?.tree[0]?.children?.[0], {
    name: 'tool',
    change: 'changed',
    differs: ['mode'],
    size: 50_000,
  });
  t.is(second?.tree[0]?.children?.[0]?.hides, undefined, 'the other name still shows these bytes');
  t.deepEqual(
    third?.tree[0]?.children?.map(({ name, change, hides }) => [name, change, hides]),
    [['cache', 'removed', 120_001]],
  );
  const names = odd?.tree[0]?.children?.map(({ name, nameHex }) => [name, nameHex]) ?? [];
  t.true(names.some(([name, hex]) => name === 'not-utf8-\\xff' && hex === '6e6f742d757466382dff'));
  t.true(names.some(([name]) => name === EVIL.replaceAll('/', '|')));
});

test('what is asked wrongly is said', async (t) => {
  const refused = async (...args: string[]) => {
    const { code, stderr } = await store.tsrun(['image', 'explore', ...args]);
    t.is(code, 1);
    return stderr;
  };
  t.regex(await refused('nosuch:1'), /No such image: nosuch:1/);
  t.regex(await refused('--format', 'yaml', 'look:1'), /unknown format: "yaml"/);
  t.regex(await refused('--format', 'json', '--html', 'x', 'look:1'), /exclude each other/);
  t.regex(
    await refused('--html', join(dir, 'no/such/dir'), 'look:1'),
    /cannot write .*no\/such\/dir: ENOENT/,
  );
});

/** A shell, so that one sees what is left of the terminal afterwards. */
function terminal(cols = 120, rows = 30): Terminal {
  const shell = "env 'PS1=host# ' bash --norc --noprofile";
  return new Terminal(shell, { env: { ...store.environment(), LANG: 'C.UTF-8', PS1: 'host# ' }, cols, rows });
}

test('a terminal: layers and files, keys, sizes; it is as it was afterwards', async (t) => {
  const shown = terminal();
  t.teardown(() => shown.end());
  await shown.waitFor(/host# $/m);
  shown.type('echo before; WAS=$(stty -g)');
  shown.press('Enter');
  await shown.waitFor(/^before$/m);
  shown.type(`${TSRUN} image explore look:1`);
  shown.press('Enter');
  const first = await shown.waitFor(/LAYER 1\b/);
  t.regex(first, /look:1 {2}4 layers · 220kB · 120kB wasted/);
  t.regex(first, /▶ 1 +170kB/);
  t.notRegex(first, /^before$/m);
  shown.press('Down', 'j');
  await shown.waitFor(/-120kB - .*cache\/ {2}of layer 1/);
  shown.press('Tab', 'Up', 'G', 'Enter');
  await shown.waitFor(/LAYER 3[\s\S]*RUN rm -r \/var\/cache/);
  shown.press('Tab', 'G');
  const odd = await shown.waitFor(/LAYER 4[\s\S]*höhe-世界/);
  t.regex(odd, /not-utf8-\\xff/);
  t.regex(odd, /\\x1b\[2J\\x1b\]52;c;/);
  shown.press('g', '/');
  shown.type('passw');
  shown.press('Enter');
  await shown.waitFor(/\/passw[\s\S]*passwd/);
  shown.resize(70, 20);
  await shown.waitFor(/^ LAYER 1/m);
  shown.resize(120, 30);
  await shown.waitFor(/LAYERS.*LAYER 1/);
  shown.press('Escape', 'w');
  await shown.waitFor(/WASTED SPACE[\s\S]*1 - 3 +\/var\/cache\/big/);
  shown.press('?');
  await shown.waitFor(/any key goes back/);
  shown.press('x', 'q');
  const after = await shown.waitFor(/host# $/m);
  t.regex(after, /^before$/m);
  t.notRegex(after, /WASTED SPACE/);
  shown.type('[ "$(stty -g)" = "$WAS" ] && echo same');
  shown.press('Enter');
  await shown.waitFor(/^same$/m);
});

for (const signal of ['TERM', 'HUP', 'INT', 'QUIT'])
  test(`SIG${signal} gives the terminal back`, async (t) => {
    const shown = terminal(100, 20);
    t.teardown(() => shown.end());
    await shown.waitFor(/host# $/m);
    shown.type(
      `WAS=$(stty -g); ${TSRUN} image explore look:1; echo "code $?"; [ "$(stty -g)" = "$WAS" ] && echo same`,
    );
    shown.press('Enter');
    await shown.waitFor(/LAYER 1\b/);
    process.kill(shown.childOf(), `SIG${signal}`);
    const after = await shown.waitFor(/^same$/m);
    t.regex(after, /^code 1(43|29|30|31)$/m);
    t.notRegex(after, /LAYER 1\b/);
  });

test('ctrl-z hands the terminal to the shell, and fg takes it again', async (t) => {
  const shown = terminal();
  t.teardown(() => shown.end());
  await shown.waitFor(/host# $/m);
  shown.type(`${TSRUN} image explore look:1`);
  shown.press('Enter');
  await shown.waitFor(/LAYER 1\b/);
  shown.press('C-z');
  await shown.waitFor(/Stopped[\s\S]*host# $/m);
  shown.type('fg');
  shown.press('Enter');
  await shown.waitFor(/LAYER 1\b/);
  shown.press('C-c');
  await shown.waitFor(/host# $/m);
  t.pass();
});

/** What the browser makes of the page after its script has run; and whether the script ran into an error. */
async function inBrowser(url: string, ...args: string[]): Promise<string> {
  const profile = join(dir, 'browser');
  await mkdir(profile, { recursive: true });
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
  const { stdout, stderr } = await run('chromium', [...flags, `--user-data-dir=${profile}`, ...args, url]);
  if (!stdout.includes('</html>')) throw new Error(`chromium: ${stderr}`);
  return stdout;
}

test('html: one page that draws the stack, is safe, and needs nothing from anywhere', async (t) => {
  const file = join(dir, 'page.html');
  await store.ok('image', 'explore', '--html', file, 'look:1');
  t.is(await store.ok('image', 'explore', '--html', '-', 'look:1'), await readFile(file, 'utf8'));
  const dom = await inBrowser(pathToFileURL(file).href, '--dump-dom');
  t.regex(dom, /<body data-ready="yes">/);
  t.regex(dom, /<title>look:1: layers<\/title>/);
  const body = dom.slice(dom.indexOf('<div id="app">'), dom.indexOf('<script type="application/json"'));
  t.is(body.match(/role="option"/g)?.length, 4);
  t.is(body.match(/class="step"/g)?.length, 2);
  t.regex(body, /RUN rm -r \/var\/cache/);
  t.regex(body, /120 kB<\/b><span>wasted/);
  // The top layer is the selected one: its tree is drawn, hostile names as text.
  t.regex(body, /role="treeitem"[\s\S]*not-utf8-\\xff/);
  t.regex(body, /\\x1b\[2J\\x1b\]52;c;[\s\S]*&lt;script&gt;/);
  t.notRegex(body, /<script|<b>[^0-9]/);
});
