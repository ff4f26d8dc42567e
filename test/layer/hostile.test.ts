import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { TsrunError } from '../../src/errors.js';
import { type HostileCase, hostileCases } from './corpus.js';
import { apply, emptyDir, readTree, readXattrs, tempDir } from './fixture.js';
import { tar } from './tar-builder.js';

const CODES = ['CONTENT'];

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

async function attack(base: string, hostile: HostileCase): Promise<string[]> {
  const before = hostState(base);
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

  // The same with the first part in a layer below: links are then followed from one layer into the other.
  for (let cut = 1; cut < hostile.parts.length; cut++) {
    const lower = emptyDir(targets);
    const upper = emptyDir(targets);
    if (await outcome(tar(...hostile.parts.slice(0, cut)), lower, [])) continue;
    const below = JSON.stringify(readTree(lower));
    const second = await outcome(tar(...hostile.parts.slice(cut)), upper, [lower]);
    if (second && !CODES.includes(second.code)) problems.push(`${second.code}: ${second.message}`);
    if (JSON.stringify(readTree(lower)) !== below) problems.push('the layer below was changed');
    if (hostState(base) !== before) problems.push(`the host was changed by two layers, cut after ${cut}`);
  }
  return problems;
}

test('no archive reaches a file outside its target, and every refusal is a clean one', async (t) => {
  const base = tempDir(t);
  mkdirSync(join(base, 'targets'));
  const victim = makeVictim(base);
  const cases = hostileCases(victim);
  t.true(cases.length >= 60);
  const attributes = readXattrs(victim);
  for (const hostile of cases) {
    t.deepEqual(await attack(base, hostile), [], hostile.name);
  }
  t.is(readXattrs(victim), attributes);
});
