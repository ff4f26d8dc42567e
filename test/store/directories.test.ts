import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { makeDirs } from '../../src/store/directories.js';

test('it makes what is missing, leaves what is there, and says what stands in the way', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-directories-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const deep = join(dir, 'a/b/c');
  makeDirs(deep, 0o700);
  t.is(statSync(deep).mode & 0o777, 0o700);
  t.notThrows(() => makeDirs(deep, 0o755));
  t.is(statSync(deep).mode & 0o777, 0o700);
  symlinkSync(deep, join(dir, 'link'));
  t.notThrows(() => makeDirs(join(dir, 'link'), 0o755));
  symlinkSync('nowhere', join(dir, 'dangling'));
  t.throws(() => makeDirs(join(dir, 'dangling'), 0o755), { code: 'EEXIST' });
  writeFileSync(join(dir, 'file'), '');
  t.throws(() => makeDirs(join(dir, 'file'), 0o755), { code: 'EEXIST' });
  t.throws(() => makeDirs(join(dir, 'file/below/it'), 0o755), { code: 'ENOTDIR' });
});

test('it ends where a parent exists and no directory can be made', (t) => {
  t.throws(() => makeDirs('/proc/tsrun/nothing', 0o755), { code: 'ENOENT' });
  t.false(existsSync('/proc/tsrun'));
});
