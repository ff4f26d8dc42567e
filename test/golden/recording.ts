/**
 * What dockerd answered, kept: it takes seven minutes to ask it everything. A recording counts for the same case, the same
 * dockerd and the same cgroup layout; where one of them differs, it is asked again.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Result } from '../helpers/cli.js';
import type { GoldenCase } from './case.js';

const FILE = new URL('recording.json', import.meta.url);
/** One case of so many is asked although it is recorded. */
const SAMPLE = 8;

interface Recording {
  readonly machine: string;
  readonly answers: Record<string, { readonly case: string; readonly answer: Result }>;
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const keyOf = (golden: GoldenCase) => hashOf(JSON.stringify(golden)).slice(0, 16);

function machine(): string {
  const version = execFileSync('dpkg-query', ['-W', '-f', `\${Version}`, 'docker.io'], { encoding: 'utf8' });
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const layout = [...new Set(mounts.match(/ - cgroup2? /g) ?? [])].map((text) => text.slice(3, -1)).sort();
  return `docker.io ${version}, ${layout.join(' and ') || 'no cgroups'}`;
}

const empty = (): Recording => ({ machine: machine(), answers: {} });

function read(): Recording {
  const kept = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Recording) : empty();
  return kept.machine === machine() ? kept : empty();
}

/** Normalised answers of dockerd by title, without those that are to be asked for. */
export function recorded(cases: readonly GoldenCase[]): Map<string, Result> {
  const { answers } = read();
  const kept = cases.flatMap((golden): [string, Result][] => {
    const found = answers[golden.title];
    return found?.case === keyOf(golden) ? [[golden.title, found.answer]] : [];
  });
  return new Map(kept.filter(([title]) => Number.parseInt(hashOf(title).slice(0, 8), 16) % SAMPLE !== 0));
}

/** Keeps these answers, and forgets those of cases that are no more. */
export function record(cases: readonly GoldenCase[], asked: ReadonlyMap<string, Result>): void {
  const { answers } = read();
  const entries = cases.flatMap((golden) => {
    const answer = asked.get(golden.title);
    const entry = answer === undefined ? answers[golden.title] : { case: keyOf(golden), answer };
    return entry === undefined ? [] : [[golden.title, entry] as const];
  });
  const all: Recording = { machine: machine(), answers: Object.fromEntries(entries) };
  writeFileSync(FILE, `${JSON.stringify(all, null, 1)}\n`);
}
