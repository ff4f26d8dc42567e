import test from 'ava';
import { parseEnd } from '../../cli/commands/cp.js';
import { CopyProgress } from '../../cli/render/copy-progress.js';

test('which end is a container’s: a colon decides, unless the path is absolute or begins with a dot', (t) => {
  const cases: [string, string | undefined, string][] = [
    ['web:/a', 'web', '/a'],
    ['web:', 'web', ''],
    ['web:a:b', 'web', 'a:b'],
    ['./a:b', undefined, './a:b'],
    ['.a:b', undefined, '.a:b'],
    ['../a:b', undefined, '../a:b'],
    ['/a:b', undefined, '/a:b'],
    ['file', undefined, 'file'],
    ['-', undefined, '-'],
  ];
  for (const [text, container, path] of cases) {
    const end = parseEnd(text, 'source');
    t.deepEqual([end.container, end.path], [container, path], text);
  }
  t.throws(() => parseEnd('', 'source'), { message: 'tsrun: source can not be empty' });
  t.throws(() => parseEnd('', 'destination'), { message: 'tsrun: destination can not be empty' });
});

async function show(settings: { terminal: boolean; quiet?: boolean; ticks: [ms: number, bytes: number][] }) {
  let text = '';
  let now = 0;
  const cli = {
    err: (part: string) => {
      text += part;
    },
    isTty: () => settings.terminal,
  };
  const progress = new CopyProgress(cli, 'Copying', settings.quiet ?? false, () => now);
  await progress.during(async (onProgress) => {
    for (const [at, bytes] of settings.ticks) {
      now = at;
      onProgress?.(bytes);
    }
  });
  progress.success(2048, 'box:/x\x1b[2J');
  return text;
}

test('a terminal is told the end, and what goes on only if it takes a while', async (t) => {
  t.is(await show({ terminal: true, ticks: [[10, 1]] }), 'Successfully copied 2.05kB to box:/x\\x1b[2J\n');
  const slow = await show({
    terminal: true,
    ticks: [
      [1500, 1_000_000],
      [1600, 1_500_000],
      [1800, 2_000_000],
    ],
  });
  t.is(slow.match(/Copying - \S+/g)?.join(), 'Copying - 1MB,Copying - 2MB');
  t.regex(slow, /\r\x1b\[2KSuccessfully/);
});

test('nobody else is told anything', async (t) => {
  t.is(await show({ terminal: false, ticks: [[5000, 1]] }), '');
  t.is(await show({ terminal: true, quiet: true, ticks: [[5000, 1]] }), '');
});
