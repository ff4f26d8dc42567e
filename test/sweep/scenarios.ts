/** The kill sweep in namespaces of its own: a short pass for every run of the tests, and the whole of it by main.ts. */
import { execFileSync } from 'node:child_process';
import { CALLS, KillSweep, type Role, SCENARIOS } from './kill.js';

/** At most this many calls of a kind by one process: past it something loops. */
const MOST = 400;

/** Something that is broken again and again need not be seen oftener. */
const ENOUGH = 10;

interface Pass {
  /** Names of {@link SCENARIOS}; empty: all. */
  verbs: readonly string[];
  roles: readonly Role[];
  calls?: readonly string[];
  /** Every how many deaths one is tried; the first is always. */
  stride: number;
  say?: (line: string) => void;
}

/** @throws Error that lists every death after which something was broken. */
export async function sweep({ verbs, roles, calls, stride, say = () => {} }: Pass): Promise<number> {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const broken: string[] = [];
  let deaths = 0;
  let kills = new KillSweep();
  await kills.prepare();
  try {
    for (const verb of verbs.length > 0 ? verbs : Object.keys(SCENARIOS)) {
      const scenario = SCENARIOS[verb];
      if (scenario === undefined) throw new Error(`no scenario ${verb}`);
      for (const role of roles) {
        for (const call of CALLS[role].filter((name) => calls?.includes(name) ?? true)) {
          let last = 0;
          for (let when = 1; when < MOST; when += stride) {
            try {
              if (!(await kills.die(scenario, role, { call, when }))) break;
              last = when;
              deaths += 1;
            } catch (error) {
              const text = `${verb}, ${role} killed at ${call} ${when}: ${error instanceof Error ? error.message : error}`;
              broken.push(text);
              say(text);
              if (broken.length >= ENOUGH) throw new Error(`${deaths} deaths:\n${broken.join('\n\n')}`);
              // What is broken stays broken: go on in a store that is not.
              await kills.close().catch(() => {});
              kills = new KillSweep();
              await kills.prepare();
            }
          }
          say(`${verb}: ${role} ${call} ${last}`);
        }
      }
    }
  } finally {
    await kills.close();
  }
  if (broken.length > 0) throw new Error(`${broken.length} of ${deaths} deaths:\n${broken.join('\n\n')}`);
  return deaths;
}

/** For the tests: a few calls of each kind of process. */
async function short(verb: string): Promise<void> {
  await sweep({ verbs: [verb], roles: ['cli'], calls: ['rename'], stride: 80 });
  await sweep({ verbs: [verb], roles: ['helper'], calls: ['write', 'rmdir'], stride: 80 });
}

export const shortRun = () => short('run');
export const shortStop = () => short('stop');
export const shortRm = () => short('rm -f');
export const shortRestart = () => short('restart');
export const shortExec = () => short('exec');

export async function longPass(): Promise<void> {
  const only = (name: string) => process.env[name]?.split(',').filter(Boolean);
  const deaths = await sweep({
    verbs: only('SWEEP_VERBS') ?? [],
    roles: (only('SWEEP_ROLES') as Role[] | undefined) ?? ['cli', 'helper'],
    calls: only('SWEEP_CALLS'),
    stride: Number(process.env.SWEEP_STRIDE ?? 1),
    say: (line) => process.stderr.write(`${line}\n`),
  });
  process.stderr.write(`${deaths} deaths, and after each the next commands worked and nothing was left\n`);
}
