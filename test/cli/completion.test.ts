import { readFileSync } from 'node:fs';
import test from 'ava';
import { candidates } from '../../cli/commands/completion.js';
import { cliDocs } from '../../scripts/cli-docs.js';

test('completion knows verbs, verbs of a group, flags, and what kind of name follows', async (t) => {
  const top = await candidates([]);
  for (const word of ['run', 'volume', '--root']) t.true(top.words.includes(word), word);
  t.true((await candidates(['volume'])).words.includes('prune'));
  const rm = await candidates(['rm']);
  t.is(rm.kind, 'CONTAINER');
  t.true(rm.words.includes('--force'));
  t.is((await candidates(['cp'])).kind, 'CONTAINER:');
  t.is((await candidates(['rmi'])).kind, 'IMAGE');
  t.is((await candidates(['volume', 'rm'])).kind, 'VOLUME');
  t.deepEqual((await candidates(['nosuch'])).words, []);
});

test('docs/cli.md is what --help shows: else run `npx tsx scripts/cli-docs.ts > docs/cli.md`', async (t) => {
  t.is(readFileSync('docs/cli.md', 'utf8'), await cliDocs());
});
