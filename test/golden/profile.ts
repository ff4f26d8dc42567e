/** The profile of a container, told by test/fixtures/profile.c from inside it: under dockerd and under tsrun. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIXTURES } from '../../rootfs-fixtures/debian.js';
import { stampOf } from '../helpers/arena.js';
import type { GoldenEngine } from './engine.js';

export const PROFILES: Record<string, string> = {
  default: '',
  user: '--user 1000',
  privileged: '--privileged',
};

/** Builds the probe, with the names of the system calls that this machine's kernel headers have. */
export function builtProbe(): string {
  const source = 'test/fixtures/profile.c';
  const path = join(FIXTURES, `profile-${stampOf(source)}`);
  if (existsSync(path)) return path;
  const headers = execFileSync('cc', ['-E', '-dM', '-include', 'asm/unistd.h', '-x', 'c', '/dev/null'], {
    encoding: 'utf8',
  });
  const calls = [...headers.matchAll(/^#define __NR_(\w+) (\d+)$/gm)].sort(
    (a, b) => Number(a[2]) - Number(b[2]),
  );
  const include = `${path}.include.${process.pid}`;
  mkdirSync(include, { recursive: true });
  writeFileSync(
    join(include, 'syscalls.inc'),
    calls.map(([, name, number]) => `{"${name}", ${number}},\n`).join(''),
  );
  const temporary = `${path}.${process.pid}`;
  execFileSync('cc', ['-static', '-O1', '-w', '-I', include, '-o', temporary, source], { stdio: 'pipe' });
  renameSync(temporary, path);
  rmSync(include, { recursive: true });
  return path;
}

/** What a container has: "section key" -> value. */
export type Profile = Map<string, string>;

/** @param flags of `docker run` */
export async function profileOf(engine: GoldenEngine, probe: string, flags: string): Promise<Profile> {
  const { code, stdout, stderr } = await engine.shell(
    `run --rm -h profile -v ${probe}:/probe:ro ${flags} busybox /probe`,
  );
  if (code !== 0) throw new Error(`the probe: exit ${code}\n${stderr}`);
  const profile: Profile = new Map();
  for (const line of stdout.split('\n')) {
    const [, key, value] = /^(\S+ \S+) (.*)$/.exec(line) ?? [];
    // Two lines of one key: a mount over a mount.
    if (key !== undefined) profile.set(key, [profile.get(key), value].filter(Boolean).join(' + '));
  }
  return profile;
}

/** One that is known, and why it is right. */
export interface Difference {
  /** "section key" */
  keys: RegExp;
  /** In these profiles only. */
  only?: readonly string[];
  docker: RegExp;
  tsrun: RegExp;
  reason: string;
}

/** What an engine does not have at all. */
export const ABSENT = '(absent)';

/** Lines that nothing explains, and explanations of nothing. */
export function compareProfiles(
  name: string,
  docker: Profile,
  tsrun: Profile,
  known: readonly Difference[],
): string[] {
  const used = new Set<Difference>();
  const unexplained: string[] = [];
  for (const key of [...new Set([...docker.keys(), ...tsrun.keys()])].sort()) {
    const [theirs, ours] = [docker.get(key) ?? ABSENT, tsrun.get(key) ?? ABSENT];
    if (theirs === ours) continue;
    const difference = known.find(
      ({ keys, only, docker: dockerValue, tsrun: tsrunValue }) =>
        (only === undefined || only.includes(name)) &&
        keys.test(key) &&
        dockerValue.test(theirs) &&
        tsrunValue.test(ours),
    );
    if (difference === undefined) unexplained.push(`${key}: docker ${theirs}, tsrun ${ours}`);
    else used.add(difference);
  }
  const unused = known.filter(
    (each) => (each.only === undefined || each.only.includes(name)) && !used.has(each),
  );
  return [...unexplained, ...unused.map(({ keys }) => `explained, but there is no such difference: ${keys}`)];
}
