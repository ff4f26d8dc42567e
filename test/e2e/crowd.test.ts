/** Many at once at one image, and an image of many layers: of 40, with DEEP=600 of so many. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { makeBusyboxRoot } from '../../rootfs-fixtures/busybox.js';
import { type Result, Store } from '../helpers/cli.js';
import { imageOf, layerOf, type MadeLayer, pushImage, sha256 } from '../helpers/images.js';
import { leaksAfterSettling } from '../helpers/leaks.js';
import { type Registry, startRegistry } from '../helpers/registry.js';

let registry: Registry;

test.serial.before(async () => {
  registry = await startRegistry();
});
test.after.always(() => registry.stop());

function busyboxLayer(): MadeLayer {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-crowd-'));
  try {
    makeBusyboxRoot(dir);
    const blob = execFileSync('tar', ['-c', '-C', dir, '--sort=name', '--mtime=@0', '.'], {
      maxBuffer: 1 << 28,
    });
    const digest = sha256(blob);
    return { blob, digest, diffId: digest, mediaType: 'application/vnd.oci.image.layer.v1.tar' };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Each has a file of its own, changes the one that all have, and deletes that of the layer below the one below it. */
function thin(count: number): MadeLayer[] {
  return Array.from({ length: count }, (_, i) =>
    layerOf([
      { path: 'd', dir: true },
      { path: `d/f${i}`, content: '' },
      ...(i >= 2 ? [{ path: `d/.wh.f${i - 2}`, content: '' }] : []),
      { path: 'top', content: `${i}\n` },
    ]),
  );
}

const DEEP = Number(process.env.DEEP ?? 40);

test.serial('an image of many layers is pulled, run, committed, saved and removed', async (t) => {
  const store = new Store();
  const image = `${registry.host}/deep:1`;
  await pushImage(registry.host, 'deep', '1', imageOf([busyboxLayer(), ...thin(DEEP - 1)]));
  await store.ok('pull', '-q', image);
  const [last, before] = [DEEP - 2, DEEP - 3];
  const look = ['sh', '-c', 'cat /top; ls /d; echo more > /d/more'];
  t.is(
    await store.ok('run', '--name', 'deep', '--network', 'none', image, ...look),
    `${last}\nf${before}\nf${last}\n`,
  );
  await store.ok('commit', 'deep', 'deeper');
  t.is(
    await store.ok('run', '--rm', '--network', 'none', 'deeper', 'sh', '-c', 'ls /d; cat /d/more'),
    `f${before}\nf${last}\nmore\nmore\n`,
  );
  const [layers] = JSON.parse(await store.ok('image', 'inspect', 'deeper')) as [
    { RootFS: { Layers: string[] } },
  ];
  t.is(layers.RootFS.Layers.length, DEEP + 1);
  await store.ok('rm', 'deep');
  await store.ok('rmi', '-f', 'deeper', image);
  t.deepEqual(
    readdirSync(join(store.root, 'layers')).filter((name) => /^[0-9a-f]{64}$/.test(name)),
    [],
  );
  t.deepEqual(await leaksAfterSettling(store.root), []);
  await store.destroy();
});

/** What may be said to whoever comes too late or too early; all else is a fault. */
const FAIR =
  /No such image|image is being used|is using its referenced image|must be forced|not found: manifest/;

test.serial(
  'pulls, runs and removals of one image at once: each succeeds or says why, and the store is whole',
  async (t) => {
    const store = new Store();
    const image = `${registry.host}/crowd:1`;
    await pushImage(registry.host, 'crowd', '1', imageOf([busyboxLayer(), ...thin(6)]));
    for (let round = 0; round < 2; round++) {
      const commands = [
        ...Array.from({ length: 3 }, () => ['pull', '-q', image]),
        ...Array.from({ length: 3 }, () => ['run', '--rm', '--network', 'none', image, 'cat', '/top']),
        ...Array.from({ length: 2 }, () => ['rmi', '-f', image]),
      ];
      const results = await Promise.all(commands.map((command) => store.tsrun(command)));
      for (const [i, result] of results.entries()) {
        const said = `${commands[i]?.join(' ')}: ${JSON.stringify(result)}`;
        if (result.code === 0) t.is(result.stdout, expected(commands[i] ?? [], image, result), said);
        else t.regex(result.stderr, FAIR, said);
      }
      t.deepEqual(
        results.slice(0, 6).filter(({ code }) => code !== 0),
        [],
        'a pull and a run never fail because of a removal',
      );
      t.regex(await store.ok('system', 'check', '--full'), /: no damage\n$/);
      t.is(await store.ok('run', '--rm', '--network', 'none', image, 'cat', '/top'), '5\n');
    }
    await store.ok('rmi', '-f', image);
    t.deepEqual(await leaksAfterSettling(store.root), []);
    await store.destroy();
  },
);

function expected([verb]: string[], image: string, { stdout }: Result): string {
  if (verb === 'pull') return `${image}\n`;
  return verb === 'run' ? '5\n' : stdout;
}
