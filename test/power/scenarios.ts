/** The passes of the power cuts, in namespaces of their own. */
import { cutPower, type Pass } from './cuts.js';

async function pass(settings: Pass): Promise<void> {
  const { points, pulled, committed, broken, swept } = await cutPower(settings);
  const text = `${points} cuts (${pulled} after the pull, ${committed} after the commit, ${swept} with something to sweep)`;
  if (broken.length > 0)
    throw new Error(`${broken.length} of ${text} left something broken:\n${broken.join('\n')}`);
  settings.say?.(`${text}: nothing acknowledged is damaged, and the next commands work`);
}

export const shortPass = () => pass({ points: 8, perRun: 8, seed: 1 });

export async function longPass(): Promise<void> {
  const [points = 200, seed = Date.now() % 100_000] = (process.env.POWER ?? '')
    .split(',')
    .filter(Boolean)
    .map(Number);
  const say = (line: string) => process.stderr.write(`${line}\n`);
  say(`seed ${seed}`);
  await pass({ points, perRun: 10, seed, say });
}
