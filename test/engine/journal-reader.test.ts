import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { JournalReader } from '../../src/engine/journal-reader.js';

function journal(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-journal-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  return join(dir, 'events.jsonl');
}

function reader(t: ExecutionContext, path: string, history: boolean): JournalReader {
  const made = new JournalReader(path, history, undefined);
  t.teardown(() => made.close());
  return made;
}

test('both files, old to new, or only what comes', (t) => {
  const path = journal(t);
  writeFileSync(`${path}.1`, 'a\nb\n');
  writeFileSync(path, 'c\n');
  t.deepEqual([...reader(t, path, true).read()], ['a', 'b', 'c']);
  const later = reader(t, path, false);
  appendFileSync(path, 'd\ntorn');
  t.deepEqual([...later.read()], ['d']);
});

test('a rotation loses nothing, nor does a writer that is late for it', async (t) => {
  const path = journal(t);
  const follower = reader(t, path, false);
  appendFileSync(path, '1\n');
  await follower.change(10_000);
  renameSync(path, `${path}.1`);
  appendFileSync(`${path}.1`, '2\n');
  appendFileSync(path, '3\n');
  t.deepEqual([...follower.read()], ['1', '2', '3']);
  appendFileSync(`${path}.1`, 'late\n');
  await follower.change(10_000);
  t.deepEqual([...follower.read()], ['late']);
  for (let i = 0; i < 4; i++) {
    renameSync(path, `${path}.1`);
    appendFileSync(path, `round ${i}\n`);
    await follower.change(10_000);
    t.deepEqual([...follower.read()], [`round ${i}`]);
  }
});
