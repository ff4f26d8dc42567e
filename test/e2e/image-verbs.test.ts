/** The image verbs that move files and names about, by the CLI: import, pull -a, manifest inspect, untag and their kin. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { run, Store, TSRUN } from '../helpers/cli.js';
import { imageOf, indexOf, layerOf, pushImage, pushManifest } from '../helpers/images.js';
import { leaksAfterSettling } from '../helpers/leaks.js';
import { type Registry, startRegistry } from '../helpers/registry.js';

let registry: Registry;
let server: Server;
let store: Store;
let url: string;
const dir = mkdtempSync(join(tmpdir(), 'tsrun-verbs-'));
const tar = join(dir, 'rootfs.tar');

test.serial.before('a registry, a web server and an archive', async () => {
  registry = await startRegistry();
  store = new Store();
  const tree = join(dir, 'tree');
  mkdirSync(join(tree, 'etc'), { recursive: true });
  writeFileSync(join(tree, 'etc', 'made'), 'by hand\n');
  const made = spawnSync('tar', ['-C', tree, '-cf', tar, '.']);
  if (made.status !== 0) throw new Error(made.stderr.toString());
  server = createServer((request, response) => {
    if (request.url === '/rootfs.tar') createReadStream(tar).pipe(response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

test.after.always(async (t) => {
  registry.stop();
  server.close();
  t.deepEqual(await leaksAfterSettling(store.root), []);
  await store.destroy();
  rmSync(dir, { recursive: true, force: true });
});

const diffId = () => `sha256:${createHash('sha256').update(readFileSync(tar)).digest('hex')}`;

async function inspected(image: string, format: string): Promise<string> {
  return (await store.ok('image', 'inspect', '-f', format, image)).trim();
}

test.serial(
  'import: any compression, from a file, stdin and a web server; the layer is the archive itself',
  async (t) => {
    const plain = (await store.ok('import', tar, 'made:file')).trim();
    t.regex(plain, /^sha256:[0-9a-f]{64}$/);
    t.is(
      await inspected('made:file', '{{json .Config}}|{{.Comment}}|{{.Id}}'),
      `{}|Imported from -|${plain}`,
    );
    t.is(await inspected('made:file', '{{json .RootFS.Layers}}'), JSON.stringify([diffId()]));
    for (const [program, name] of [
      ['gzip', 'made:gz'],
      ['xz', 'made:xz'],
      ['zstd', 'made:zst'],
      ['bzip2', 'made:bz2'],
    ] as const) {
      const input = spawnSync(program, ['-c', tar]).stdout;
      const result = await store.tsrun(['import', '-', name], { input });
      t.is(result.code, 0, result.stderr);
      t.is(await inspected(name, '{{json .RootFS.Layers}}'), JSON.stringify([diffId()]), program);
    }
    const args = ['-m', 'words', '-c', 'CMD ["/x"]', '-c', 'ENV A=1', '--platform', 'linux/arm64'];
    const web = await store.tsrun(['import', ...args, `${url}/rootfs.tar`, 'made:web']);
    t.is(web.code, 0, web.stderr);
    t.regex(web.stderr, /^Downloading from http:\S+\/rootfs\.tar\n$/);
    t.is(
      await inspected('made:web', '{{.Architecture}} {{json .Config.Cmd}} {{json .Config.Env}} {{.Comment}}'),
      'arm64 ["/x"] ["A=1"] words',
    );
    t.is(
      (await store.ok('import', '--timestamp', '1000000000', tar)).trim(),
      (await store.tsrun(['import', tar], { env: { SOURCE_DATE_EPOCH: '1000000000' } })).stdout.trim(),
    );
  },
);

test.serial('import refuses, and leaves nothing behind', async (t) => {
  const before = await store.ok('system', 'df', '--format', '{{.Size}}');
  const said = async (...args: string[]) => {
    const { code, stdout, stderr } = await store.tsrun(['import', ...args]);
    t.is(code, 1);
    t.is(stdout, '');
    return stderr;
  };
  const junk = join(dir, 'junk');
  writeFileSync(junk, 'nonsense '.repeat(1000));
  t.regex(await said(junk, 'x'), /failed to register layer/);
  t.regex(await said(`${url}/nosuch`), /got HTTP status code 404 Not Found/);
  t.regex(await said('http://127.0.0.1:1/x'), /connection refused/);
  t.regex(await said(dir), /read .*: is a directory/);
  t.is(await store.ok('system', 'df', '--format', '{{.Size}}'), before);
});

test.serial('export | import gives the same tree', async (t) => {
  await store.ok(
    'run',
    '--name',
    'source',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'mkdir /d; echo x > /d/f; ln /d/f /d/hard; ln -s f /d/link; chmod 4711 /d/f; chown -h 5:6 /d/link; mkfifo /d/pipe',
  );
  const pipe = await run('sh', ['-ec', `${TSRUN} export source | ${TSRUN} import -c 'CMD ["sh"]' - flat:1`], {
    env: store.environment(),
  });
  t.is(pipe.code, 0, pipe.stderr);
  t.is(await inspected('flat:1', '{{len .RootFS.Layers}}'), '1');
  const list = ['sh', '-c', 'cd /d && stat -c "%n %a %u:%g %h %F %Y" * && readlink link && ls /bin | wc -l'];
  await store.ok('commit', 'source', 'layered:1');
  const show = (image: string) => store.ok('run', '--rm', '--network', 'none', image, ...list);
  t.is(await show('flat:1'), await show('layered:1'));
});

test.serial('pull -a, and manifest inspect of an image, an index and what is not there', async (t) => {
  const { host } = registry;
  const [one, two] = ['one', 'two'].map((word) => imageOf([layerOf([{ path: 'f', content: word }])]));
  if (one === undefined || two === undefined) throw new Error('two images');
  await pushImage(host, 'many', '1', one);
  await pushImage(host, 'many', '2', two);
  const index = indexOf([
    { image: one, platform: { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch } },
    { image: two, platform: { os: 'linux', architecture: 'sparc64' } },
  ]);
  await pushManifest(host, 'many', '3', index.bytes, index.mediaType);

  const out = await store.ok('pull', '-a', `${host}/many`);
  const lines = out.trimEnd().split('\n');
  for (const tag of ['1', '2', '3']) t.true(lines.includes(`${tag}: Pulling from many`), out);
  t.is(lines.filter((line) => line.startsWith('Digest: ')).length, 3);
  t.deepEqual(lines.slice(-2), [`Status: Downloaded newer image for ${host}/many`, `${host}/many`]);
  t.regex(await store.ok('pull', '-a', `${host}/many`), /\nStatus: Image is up to date for \S+\/many\n/);
  t.is(await store.ok('pull', '-aq', `${host}/many`), `${host}/many\n`);
  t.regex(
    (await store.tsrun(['pull', '-a', `${host}/many:1`])).stderr,
    /tag can't be used with --all-tags\/-a/,
  );
  t.regex((await store.tsrun(['pull', '-a', `${host}/nosuch`])).stderr, /repository \S+\/nosuch not found/);

  const shown = await store.ok('manifest', 'inspect', `${host}/many:1`);
  t.is(shown, `${JSON.stringify(JSON.parse(one.manifest.toString()), undefined, '\t')}\n`);
  t.deepEqual(
    JSON.parse(await store.ok('manifest', 'inspect', `${host}/many:3`)),
    JSON.parse(index.bytes.toString()),
  );
  const details = JSON.parse(await store.ok('manifest', 'inspect', '-v', `${host}/many:3`));
  t.is(details[1].Ref, `${host}/many:3@${two.digest}`);
  t.is(details[1].Descriptor.platform.architecture, 'sparc64');
  t.is(details[1].Raw, two.manifest.toString('base64'));
  const single = JSON.parse(await store.ok('manifest', 'inspect', '-v', `${host}/many:1`));
  t.is(single.Descriptor.platform.os, 'linux');
  t.deepEqual(single.OCIManifest, JSON.parse(one.manifest.toString()));
  const missing = await store.tsrun(['manifest', 'inspect', `${host}/many:9`]);
  t.is(missing.code, 1);
  t.regex(missing.stderr, /no such manifest: \S+\/many:9/);
});

test.serial('image exists, tree and untag', async (t) => {
  await store.ok('tag', 'busybox', 'names:a');
  await store.ok('tag', 'busybox', 'names:b');
  const exists = async (name: string) => {
    const { code, stdout, stderr } = await store.tsrun(['image', 'exists', name]);
    t.is(stdout + stderr, '');
    return code;
  };
  t.is(await exists('names:a'), 0);
  t.is(await exists('names:nosuch'), 1);
  const tree = await store.ok('image', 'tree', 'layered:1');
  t.regex(
    tree,
    /^Image ID: [0-9a-f]{12}\nTags: {5}\[layered:1\]\nSize: {5}\S+\nImage Layers\n├── ID: [0-9a-f]{12} Size: +\S+ Top Layer of: \[busybox:latest names:a names:b\]\n└── ID: [0-9a-f]{12} Size: +\S+ Top Layer of: \[layered:1\]\n$/,
  );
  t.is(await store.ok('untag', 'busybox', 'names:a'), '');
  t.is(await exists('names:a'), 1);
  const unknown = await store.tsrun(['untag', 'busybox', 'names:zz']);
  t.is(unknown.code, 1);
  t.regex(unknown.stderr, /names:zz: tag not known/);
  const id = await inspected('names:b', '{{.Id}}');
  await store.ok('untag', 'names:b');
  t.is(await inspected(id, '{{json .RepoTags}}'), '[]', 'the image stays');
  await store.ok('tag', id, 'busybox');
});
