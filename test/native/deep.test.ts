/** Containers on more layers than one overlay takes. Needs root. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Frame } from '../../src/native/protocol.js';
import { HandMadeStore } from '../helpers/hand-made.js';

const store = new HandMadeStore();
test.after.always(() => store.remove());

/**
 * `count` layers over the first, topmost first. Each has a file of its own and its number in `top`, and every second one
 * deletes the file of the layer below it.
 */
function layers(count: number): string[] {
  const lower = [store.lower];
  const whiteouts: string[] = [];
  for (let i = 1; i < count; i++) {
    const dir = join(store.paths.layers, `${count}-${i}`);
    mkdirSync(join(dir, 'd'), { recursive: true });
    writeFileSync(join(dir, 'd', `f${i}`), '');
    writeFileSync(join(dir, 'top'), String(i));
    if (i % 2 === 0) whiteouts.push(`mknod ${join(dir, 'd', `f${i - 1}`)} c 0 0`);
    lower.unshift(dir);
  }
  execFileSync('busybox', ['sh'], { input: whiteouts.join('\n') });
  return lower;
}

for (const count of [500, 501, 999]) {
  test.serial(`${count} layers are one tree, whiteouts included`, async (t) => {
    const c = store.container(
      ['sh', '-c', 'cat /top; echo; for f in /d/*; do echo $f; done; echo new > /d/new'],
      {},
    );
    const launch = {
      ...JSON.parse(execFileSync('cat', [c.paths.launch], { encoding: 'utf8' })),
      overlay: { lower: layers(count), upper: c.paths.upper, work: c.paths.work, volatile: false },
    };
    writeFileSync(c.paths.launch, JSON.stringify(launch));
    const { client } = await c.start();
    t.is(await client.ended, 0, client.text(Frame.stderr));
    const [top, ...files] = client.text(Frame.stdout).trim().split('\n');
    t.is(top, String(count - 1));
    const kept = Array.from({ length: count - 1 }, (_, i) => i + 1).filter(
      (i) => i % 2 === 0 || i === count - 1,
    );
    t.deepEqual(files.sort(), kept.map((i) => `/d/f${i}`).sort());
  });
}

test.serial('a thousand are refused before anything is made', async (t) => {
  const c = store.container(['true'], {});
  const launch = JSON.parse(execFileSync('cat', [c.paths.launch], { encoding: 'utf8' }));
  launch.overlay.lower = layers(1000);
  writeFileSync(c.paths.launch, JSON.stringify(launch));
  const { client, records } = await c.start();
  t.not(await client.ended, 0);
  t.like(records.at(-1), { fail: { step: 'mounts.overlay', detail: 'at most 998 layers can be mounted' } });
});
