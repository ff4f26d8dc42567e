/** The copy verbs on trees of this machine: what comes back is what went in, and no archive leads out of its target. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { TsrunError } from '../../src/errors.js';
import { type CopyInRequest, copyIn, copyOut } from '../../src/layer/copy.js';
import type { FailureRecord } from '../../src/native/launch.js';
import { hostileCases } from './corpus.js';
import { emptyDir, HELPER, readTree, readXattrs, tempDir } from './fixture.js';
import { dir, file, symlink, tar } from './tar-builder.js';

const failure = ({ step, subject, detail }: FailureRecord) =>
  new TsrunError('CONTENT', `${step}: ${subject}: ${detail}`, { step });

async function pack(root: string, path: string, name?: string): Promise<Buffer> {
  const output = new PassThrough();
  const chunks: Buffer[] = [];
  output.on('data', (chunk: Buffer) => chunks.push(chunk));
  await copyOut({ helperPath: HELPER, tree: { root }, path, name, output, failure });
  return Buffer.concat(chunks);
}

function unpack(archive: Buffer, root: string, more: Partial<CopyInRequest> = {}) {
  const input = Readable.from([archive]);
  return copyIn({ helperPath: HELPER, tree: { root }, path: '/', shown: root, input, failure, ...more });
}

function makeTree(base: string): string {
  const root = emptyDir(base);
  const script = `umask 022; mkdir -p d/e; echo x > d/f; ln d/f d/hard; ln -s ../../up d/link; mkfifo d/p; mknod d/n c 1 3
    chmod 4711 d/f; chown 12:34 d/e; setfattr -n user.a -v b d/f; : > d/.wh.x; touch -d @1000000000 d/e d/f d/p d
    touch -h -d @1000000000 d/link; touch -d @1000000000 d/n d/.wh.x
    i=0; while [ $i -lt 30 ]; do printf "/%s" long-component-$i; i=$((i+1)); done > /dev/null
    python3 -c 'import os; os.mkdir(b"d/\\xff\\n"); os.utime(b"d/\\xff\\n", (1, 1)); os.utime("d", (2, 2))'`;
  execFileSync('sh', ['-ec', script], { cwd: root });
  return root;
}

test('a tree comes back as it was, whatever is in it', async (t) => {
  const base = tempDir(t);
  const from = makeTree(base);
  const to = emptyDir(base);
  await unpack(await pack(from, '/d', 'd'), to);
  t.deepEqual(readTree(to), readTree(from));
  t.is(readXattrs(to), readXattrs(from));
});

test('sockets are left out, what the names say is kept', async (t) => {
  const base = tempDir(t);
  const from = emptyDir(base);
  mkdirSync(join(from, 'd'));
  writeFileSync(join(from, 'd/f'), 'x');
  execFileSync('python3', ['-c', 'import socket; socket.socket(socket.AF_UNIX).bind("d/s")'], { cwd: from });
  const names = (archive: Buffer) => execFileSync('tar', ['-Ptf', '-'], { input: archive, encoding: 'utf8' });
  t.is(names(await pack(from, '/d', 'd')), 'd/\nd/f\n');
  t.is(names(await pack(from, '/d/.', '.')), './\n./f\n');
  t.is(names(await pack(from, '/d/', '/')), '/\n/f\n');
  t.is(names(await pack(from, '/d/')), 'f\n');
});

test('renaming takes the base’s place, and refuses what is not below it', async (t) => {
  const base = tempDir(t);
  const archive = tar(dir('a/'), file('a/f', 'x'), symlink('a/l', 'f'));
  const to = emptyDir(base);
  await unpack(archive, to, { rename: { from: 'a', to: 'new/deep' } });
  t.deepEqual(Object.keys(readTree(to)).sort(), ['new', 'new/deep', 'new/deep/f', 'new/deep/l']);
  await unpack(tar(file('x', '1')), to, { rename: { from: '', to: 'under' } });
  t.is(readFileSync(join(to, 'under/x'), 'utf8'), '1');
  for (const stray of ['b', 'ab', 'a/../b']) {
    const error = await t.throwsAsync(unpack(tar(file(stray)), to, { rename: { from: 'a', to: 'c' } }));
    t.regex(error?.message ?? '', /invalid copy source content/, stray);
  }
});

test('what is in the way of another kind stays, if that is asked for', async (t) => {
  const to = emptyDir(tempDir(t));
  mkdirSync(join(to, 'd/kept'), { recursive: true });
  writeFileSync(join(to, 'f'), 'kept');
  symlinkSync('/etc', join(to, 'l'));
  const keepKinds = true;
  for (const [archive, words] of [
    [tar(file('d')), `cannot overwrite directory "${to}/d" with non-directory "${to}"`],
    [tar(dir('f/')), `cannot overwrite non-directory "${to}/f" with directory "${to}"`],
    [tar(dir('l/')), `cannot overwrite non-directory "${to}/l" with directory "${to}"`],
  ] as const) {
    const error = await t.throwsAsync(unpack(archive, to, { keepKinds }));
    t.true(error?.message.endsWith(words), error?.message);
  }
  await unpack(tar(file('f', 'new'), file('l', 'no link any more')), to, { keepKinds });
  t.is(readFileSync(join(to, 'f'), 'utf8'), 'new');
  t.is(readFileSync(join(to, 'l'), 'utf8'), 'no link any more');
  await unpack(tar(file('d', 'replaced')), to);
  t.is(readFileSync(join(to, 'd'), 'utf8'), 'replaced');
});

test('half an archive leaves no half file, and the old one in place', async (t) => {
  const to = emptyDir(tempDir(t));
  writeFileSync(join(to, 'f'), 'old');
  const whole = tar(file('f', 'x'.repeat(100_000)));
  await t.throwsAsync(unpack(whole.subarray(0, 50_000), to), { message: /unexpected EOF/ });
  t.deepEqual(readdirSync(to), ['f']);
  t.is(readFileSync(join(to, 'f'), 'utf8'), 'old');
});

function hostState(t: ExecutionContext): { base: string; victim: string; state: () => string } {
  const base = tempDir(t);
  const victim = join(base, 'victim');
  mkdirSync(victim);
  writeFileSync(join(victim, 'file'), 'untouched', { mode: 0o640 });
  mkdirSync(join(base, 'targets'));
  const state = () => JSON.stringify([readTree(victim), readXattrs(victim), readdirSync(base)]);
  return { base, victim, state };
}

for (const ownership of ['archive', 'caller'] as const)
  test(`no archive reaches a file outside its target (${ownership})`, async (t) => {
    const { base, victim, state } = hostState(t);
    const before = state();
    for (const hostile of hostileCases(victim)) {
      const target = emptyDir(join(base, 'targets'));
      const archive = hostile.archive ?? tar(...hostile.parts);
      await unpack(archive, target, { ownership, compressed: true }).catch((error: unknown) => {
        if (!(error instanceof TsrunError) || error.code === 'HELPER') throw error;
      });
      t.is(state(), before, hostile.name);
    }
  });
