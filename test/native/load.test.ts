import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test from 'ava';

const source = fileURLToPath(new URL('../../src/', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'tsrun-load-'));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));

/** load.ts as part of another package: `name` and what was built there. */
async function loaderIn(
  name: string,
  build: Record<string, string>,
): Promise<typeof import('../../src/native/load.js')> {
  const root = mkdtempSync(join(dir, 'package-'));
  mkdirSync(join(root, 'src/native'), { recursive: true });
  mkdirSync(join(root, 'build/Release'), { recursive: true });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name, type: 'module' }));
  for (const file of ['errors.ts', 'native/load.ts'])
    copyFileSync(join(source, file), join(root, 'src', file));
  for (const [file, text] of Object.entries(build)) writeFileSync(join(root, 'build/Release', file), text);
  return import(pathToFileURL(join(root, 'src/native/load.ts')).href);
}

test('the helper is found below the package, from any depth', async (t) => {
  const { helperPath } = await loaderIn('tsrun', { 'tsrun-runtime': '' });
  t.regex(helperPath(), /package-[^/]+\/build\/Release\/tsrun-runtime$/);
});

test('what is not built is named, with the way to mend it', async (t) => {
  const { loadNative, helperPath } = await loaderIn('tsrun', {});
  for (const load of [loadNative, helperPath]) {
    const error = t.throws(load);
    t.like(error, { name: 'TsrunError', code: 'HOST', step: 'native.load' });
    t.regex(error?.message ?? '', /build\/Release\/tsrun.*no such file \(linux-/);
    t.regex((error as { hint?: string }).hint ?? '', /npm run build:native/);
  }
});

test('an addon that cannot be loaded gives the reason of the loader', async (t) => {
  const { loadNative } = await loaderIn('tsrun', { 'tsrun.node': 'not a library' });
  t.throws(loadNative, { message: /tsrun\.node: .*(file too short|invalid ELF header)/ });
});

test('another package around it is not taken for tsrun', async (t) => {
  const { helperPath } = await loaderIn('somebody', { 'tsrun-runtime': '' });
  t.throws(helperPath, { message: /no package\.json of tsrun/ });
});
