/** The packed tarball works where there is no compiler: installed with --ignore-scripts into an empty project. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { run } from '../helpers/cli.js';

test('npm pack carries the built binaries, and npx tsrun runs a container from them', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-pack-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const packed = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', dir]);
  t.is(packed.code, 0, packed.stderr);
  const tarball = readdirSync(dir).find((name) => name.endsWith('.tgz')) ?? '';

  const project = join(dir, 'project');
  const store = join(dir, 'store');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"name": "empty", "private": true, "type": "module"}');
  // A compiler that fails when it is called: the installation may not need one.
  const env = { CC: '/bin/false', CXX: '/bin/false' };
  const install = await run(
    'npm',
    ['install', '--ignore-scripts', '--offline', '--prefix', project, join(dir, tarball)],
    { env },
  );
  t.is(install.code, 0, install.stderr);
  t.deepEqual(
    readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.')),
    ['tsrun'],
    'no dependency comes along',
  );
  t.true(existsSync(join(project, 'node_modules/.bin/tsrun-runtime')));

  const inProject = (...args: string[]) =>
    run('npx', ['--prefix', project, '--no-install', ...args], { env: { TSRUN_ROOT: store } });
  const hello = await inProject('tsrun', 'run', '--rm', '--network', 'none', 'busybox', 'echo', 'hello');
  t.is(hello.stdout, 'hello\n', hello.stderr);
  t.is(hello.code, 0);

  writeFileSync(
    join(project, 'embed.js'),
    `import { createEngine } from 'tsrun';
     const engine = createEngine({ root: ${JSON.stringify(store)} });
     console.log((await engine.images()).map((image) => image.repoTags[0]).join());`,
  );
  const embedded = await run(process.execPath, [join(project, 'embed.js')]);
  t.is(embedded.stdout, 'busybox:latest\n', embedded.stderr);
});
