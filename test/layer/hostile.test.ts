import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { TsrunError } from '../../src/errors.js';
import { type HostileCase, hostileCases } from './corpus.js';
import { apply, emptyDir, readTree, readXattrs, tempDir } from './fixture.js';
import { tar } from './tar-builder.js';

const CODES = ['CONTENT'];
/** Most of the time of an attack is spent waiting: for new namespaces. */
const AT_ONCE = 4;

async function outcome(archive: Buffer, target: string, lower?: string[]): Promise<TsrunError | undefined> {
  try {
    await apply(archive, target, lower);
    return undefined;
  } catch (error) {
    if (error instanceof TsrunError) return error;
    throw error;
  }
}

function makeVictim(base: string): string {
  const victim = join(base, 'victim');
  mkdirSync(victim);
  writeFileSync(join(victim, 'file'), 'untouched', { mode: 0o640 });
  return victim;
}

/** The host's own files, as the archives see them: all that lies beside the targets. */
function hostState(base: string): string {
  return JSON.stringify([
    readTree(join(base, 'victim')),
    readXattrs(join(base, 'victim')),
    readdirSync(base),
  ]);
}

function has(target: string, name: string): boolean {
  return existsSync(Buffer.from(`${target}/${name}`, 'latin1'));
}

/** A layer where many names are links to the host. */
function makeTrap(base: string, victim: string): string {
  const trap = emptyDir(base);
  for (const name of 'abcdfhlx') symlinkSync(join(victim, 'file'), join(trap, name));
  symlinkSync(victim, join(trap, 'etc'));
  return trap;
}

async function attack(
  base: string,
  hostile: HostileCase,
  { trap, before }: { trap: string; before: string },
): Promise<string[]> {
  const targets = join(base, 'targets');
  const target = emptyDir(targets);
  const problems: string[] = [];
  const error = await outcome(hostile.archive ?? tar(...hostile.parts), target, []);
  if (hostile.expect === 'ok' && error) problems.push(`refused: ${error.message}`);
  if (hostile.expect === 'error' && !error) problems.push('accepted');
  if (error && !CODES.includes(error.code)) problems.push(`${error.code}: ${error.message}`);
  for (const name of hostile.has ?? []) if (!has(target, name)) problems.push(`missing: ${name}`);
  for (const name of hostile.hasNot ?? []) if (has(target, name)) problems.push(`present: ${name}`);
  if (hostState(base) !== before) problems.push('the host was changed');

  // As two layers, cut wherever it can be: links are then followed from one layer into the other.
  const over = async (rest: Buffer, lower: string) => {
    const below = JSON.stringify(readTree(lower));
    const second = await outcome(rest, emptyDir(targets), [lower]);
    if (second && !CODES.includes(second.code)) problems.push(`${second.code}: ${second.message}`);
    if (JSON.stringify(readTree(lower)) !== below) problems.push('the layer below was changed');
    if (hostState(base) !== before) problems.push('the host was changed by two layers');
  };
  await over(hostile.archive ?? tar(...hostile.parts), trap);
  for (let cut = 1; cut < hostile.parts.length; cut++) {
    const lower = emptyDir(targets);
    if ((await outcome(tar(...hostile.parts.slice(0, cut)), lower, [])) === undefined)
      await over(tar(...hostile.parts.slice(cut)), lower);
  }
  return problems;
}

test('no archive reaches a file outside its target, and every refusal is a clean one', async (t) => {
  t.timeout(600_000); // hundreds of unpackers, perhaps with sanitizers
  const base = tempDir(t);
  mkdirSync(join(base, 'targets'));
  const victim = makeVictim(base);
  const cases = hostileCases(victim);
  t.true(cases.length >= 150);
  t.is(new Set(cases.map(({ name }) => name)).size, cases.length);
  const attributes = readXattrs(victim);
  const field = { trap: makeTrap(base, victim), before: hostState(base) };
  const problems: Record<string, string[]> = {};
  const waiting = [...cases];
  const work = async () => {
    for (let hostile = waiting.shift(); hostile !== undefined; hostile = waiting.shift()) {
      const found = await attack(base, hostile, field);
      if (found.length > 0) problems[hostile.name] = [...new Set(found)];
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  t.deepEqual(problems, {});
  t.is(readXattrs(victim), attributes);
});
