import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { TsrunError } from '../../src/errors.js';
import { removeTrees } from '../../src/layer/remove.js';
import { emptyDir, HELPER, tempDir } from './fixture.js';

test('trees, files, links and missing paths go; what links point to stays', async (t) => {
  const base = tempDir(t);
  const kept = emptyDir(base);
  writeFileSync(join(kept, 'file'), 'kept');
  const tree = emptyDir(base);
  mkdirSync(join(tree, 'a/b/c'), { recursive: true });
  writeFileSync(join(tree, 'a/b/file'), 'x');
  symlinkSync(kept, join(tree, 'a/link'));
  symlinkSync(kept, join(base, 'toplink'));
  execFileSync('mknod', [join(tree, 'w'), 'c', '0', '0']);
  writeFileSync(join(base, 'single'), 'x');
  const paths = [
    tree,
    join(base, 'toplink'),
    join(base, 'single'),
    join(base, 'missing'),
    join(base, 'no/such/parent'),
  ];
  await removeTrees(HELPER, paths);
  t.deepEqual(readdirSync(base), [kept.slice(base.length + 1)]);
  t.is(readFileSync(join(kept, 'file'), 'utf8'), 'kept');
});

test('a tree far deeper than a path can be', async (t) => {
  const base = tempDir(t);
  const script = 'import os\nfor i in range(5000): os.mkdir("d"*20); os.chdir("d"*20)\nopen("f","w")';
  mkdirSync(join(base, 'deep'));
  execFileSync('python3', ['-c', script], { cwd: join(base, 'deep') });
  await removeTrees(HELPER, [join(base, 'deep')]);
  t.false(existsSync(join(base, 'deep')));
});

test('a wide tree', async (t) => {
  const base = tempDir(t);
  execFileSync('sh', ['-ec', 'mkdir w; cd w; seq 20000 | xargs touch; seq -f d%.0f 2000 | xargs mkdir'], {
    cwd: base,
  });
  await removeTrees(HELPER, [join(base, 'w')]);
  t.false(existsSync(join(base, 'w')));
});

test('a mount in the tree is refused by name, also a bind of the same file system, and left whole', async (t) => {
  const base = tempDir(t);
  const kept = emptyDir(base);
  writeFileSync(join(kept, 'file'), 'kept');
  const tree = emptyDir(base);
  mkdirSync(join(tree, 'a/mount'), { recursive: true });
  execFileSync('mount', ['--bind', kept, join(tree, 'a/mount')]);
  t.teardown(() => execFileSync('umount', [join(tree, 'a/mount')]));
  const error = await t.throwsAsync(removeTrees(HELPER, [tree]), { instanceOf: TsrunError });
  t.is(error?.subject, join(tree, 'a/mount'));
  t.true(['EXDEV', 'EBUSY'].includes(error?.errno ?? ''), error?.errno);
  t.is(readFileSync(join(kept, 'file'), 'utf8'), 'kept');
});

test('nonsense is refused', async (t) => {
  for (const path of ['/', '.', '..', `${tempDir(t)}/..`]) {
    await t.throwsAsync(removeTrees(HELPER, [path]), { instanceOf: TsrunError, message: /invalid argument/ });
  }
});
