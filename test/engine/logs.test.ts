import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { LogReader } from '../../src/engine/log-reader.js';
import { parseEntry } from '../../src/engine/logs.js';

function withLog(run: (path: string) => void): void {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-logs-'));
  try {
    run(join(dir, 'log'));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function linesOf(reader: LogReader): string[] {
  return [...reader.lines()];
}

function all(path: string, tail?: number): string[] {
  const reader = new LogReader(path, tail);
  try {
    return linesOf(reader);
  } finally {
    reader.close();
  }
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`);

const file = (lines: string[]): string => lines.map((line) => `${line}\n`).join('');

test('a line of the log, its stream, its time and its bytes', (t) => {
  const entry = parseEntry('{"log":"h\\u00e9\\n","stream":"stderr","time":"2026-01-02T03:04:05.000000006Z"}');
  t.is(entry?.stream, 'stderr');
  t.is(entry?.time, '2026-01-02T03:04:05.000000006Z');
  t.is(Buffer.from(entry?.line ?? []).toString(), 'hé\n');
  t.is(parseEntry('{"log":"torn'), undefined);
  t.is(parseEntry('null'), undefined);
});

test('no log yet is an empty log', (t) => {
  withLog((path) => t.deepEqual(all(path), []));
});

test('rotated files come first, oldest first', (t) => {
  withLog((path) => {
    writeFileSync(`${path}.2`, file(numbered(1, 3)));
    writeFileSync(`${path}.1`, file(numbered(4, 6)));
    writeFileSync(path, file(numbered(7, 8)));
    t.deepEqual(all(path), numbered(1, 8));
  });
});

test('tail counts lines across files, whatever their number', (t) => {
  withLog((path) => {
    writeFileSync(`${path}.1`, file(numbered(1, 5)));
    writeFileSync(path, file(numbered(6, 9)));
    for (let tail = 0; tail <= 12; tail++)
      t.deepEqual(all(path, tail), numbered(1, 9).slice(Math.max(0, 9 - tail)), `tail ${tail}`);
  });
});

test('tail finds its place in a file of many blocks', (t) => {
  withLog((path) => {
    const lines = Array.from({ length: 3000 }, (_, i) => `${i} ${'x'.repeat(i % 97)}`);
    writeFileSync(path, file(lines));
    for (const tail of [1, 10, 1000, 2999, 3000, 5000]) t.deepEqual(all(path, tail), lines.slice(-tail));
  });
});

test('a reader goes on where it stopped, also across rotations, and joins a line that came in two writes', (t) => {
  withLog((path) => {
    writeFileSync(path, file(numbered(1, 2)));
    const reader = new LogReader(path, undefined);
    t.deepEqual(linesOf(reader), numbered(1, 2));
    appendFileSync(path, 'line ');
    t.deepEqual(linesOf(reader), []);
    appendFileSync(path, '3\n');
    renameSync(path, `${path}.1`);
    writeFileSync(path, file(numbered(4, 5)));
    renameSync(`${path}.1`, `${path}.2`);
    renameSync(path, `${path}.1`);
    writeFileSync(path, file(numbered(6, 6)));
    t.deepEqual(linesOf(reader), numbered(3, 6));
    reader.close();
  });
});

test('an empty log of which the tail is wanted shows what comes', (t) => {
  withLog((path) => {
    writeFileSync(path, '');
    const reader = new LogReader(path, 0);
    t.deepEqual(linesOf(reader), []);
    appendFileSync(path, file(numbered(1, 1)));
    t.deepEqual(linesOf(reader), numbered(1, 1));
    reader.close();
  });
});

/** As the monitor does it: with the time of the file, nanoseconds included. */
function compress(path: string): void {
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
  execFileSync('touch', ['-r', path, `${path}.gz`]);
  rmSync(path);
}

test('compressed files are read like the others, and by a reader that was in the middle of one', (t) => {
  withLog((path) => {
    writeFileSync(path, file(numbered(1, 3)));
    const reader = new LogReader(path, undefined);
    t.deepEqual(linesOf(reader), numbered(1, 3));
    appendFileSync(path, file(numbered(4, 4)));
    renameSync(path, `${path}.1`);
    compress(`${path}.1`);
    writeFileSync(path, file(numbered(5, 6)));
    t.deepEqual(linesOf(reader), numbered(4, 6), 'nothing twice');
    reader.close();
    t.deepEqual(all(path), numbered(1, 6));
    t.deepEqual(all(path, 4), numbered(3, 6));
    // Not yet removed.
    writeFileSync(`${path}.1`, file(numbered(1, 4)));
    t.deepEqual(all(path), numbered(1, 6));
  });
});
