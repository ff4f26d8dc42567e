import test from 'ava';
import { familiarName, PullProgress } from '../../cli/render/progress.js';
import type { PullEvent } from '../../src/types/engine.js';
import type { Digest } from '../../src/types/ids.js';

const DIGEST = `sha256:${'a'.repeat(64)}` as Digest;
const EVENTS: PullEvent[] = [
  {
    kind: 'resolving',
    reference: 'docker.io/library/redis:latest',
    tag: 'latest',
    repository: 'library/redis',
    defaultTag: true,
  },
  { kind: 'found', tag: 'latest', repository: 'library/redis' },
  { kind: 'layer', id: 'aaaa', status: 'Pulling fs layer' },
  { kind: 'layer', id: 'bbbb', status: 'Already exists' },
  { kind: 'layer', id: 'aaaa', status: 'Downloading', current: 10, total: 1000 },
  { kind: 'layer', id: 'aaaa', status: 'Downloading', current: 500, total: 1000 },
  { kind: 'layer', id: 'aaaa', status: 'Download complete' },
  { kind: 'layer', id: 'aaaa', status: 'Pull complete' },
  { kind: 'done', reference: 'docker.io/library/redis:latest', digest: DIGEST, upToDate: false },
];

function show(events: PullEvent[], columns: number | undefined, standalone = true): string {
  let text = '';
  let now = 0;
  const progress = new PullProgress({
    write: (part) => {
      text += part;
    },
    columns,
    now: () => {
      now += 1000;
      return now;
    },
    standalone,
  });
  for (const event of events) progress.event(event);
  return text;
}

test('without a terminal: one line per change of status, no bytes', (t) => {
  t.deepEqual(show(EVENTS, undefined).trimEnd().split('\n'), [
    'Using default tag: latest',
    'latest: Pulling from library/redis',
    'aaaa: Pulling fs layer',
    'bbbb: Already exists',
    'aaaa: Downloading',
    'aaaa: Download complete',
    'aaaa: Pull complete',
    `Digest: ${DIGEST}`,
    'Status: Downloaded newer image for redis:latest',
  ]);
});

test('inside run the default tag is not mentioned', (t) => {
  t.true(show(EVENTS, undefined, false).startsWith('latest: Pulling from library/redis\n'));
});

test('on a terminal each layer keeps its row', (t) => {
  const text = show(EVENTS, 80);
  t.true(text.includes('\x1b[2A\r\x1b[2Kaaaa: Downloading 500B/1kB\r\x1b[2B'));
  t.true(text.includes('\x1b[2A\r\x1b[2Kaaaa: Pull complete\r\x1b[2B'));
});

test('a wide terminal has a bar of fifty cells', (t) => {
  t.true(show(EVENTS, 120).includes(`aaaa: Downloading [${`${'='.repeat(25)}>`.padEnd(50)}]     500B/1kB`));
});

test('a status of a hostile registry is escaped', (t) => {
  const event: PullEvent = { kind: 'found', tag: '1\x1b]0;', repository: 'r\r' };
  t.is(show([event], undefined), '1\\x1b]0;: Pulling from r\\x0d\n');
});

test('familiar names drop docker.io and library', (t) => {
  t.is(familiarName('docker.io/library/redis:7'), 'redis:7');
  t.is(familiarName('docker.io/me/app:1'), 'me/app:1');
  t.is(familiarName('localhost:5000/library/app:1'), 'localhost:5000/library/app:1');
});
