/** `push` to a real registry: what arrives there, and what is said on the way. */
import { execFileSync } from 'node:child_process';
import test from 'ava';
import { Store } from '../helpers/cli.js';
import { leaksAfterSettling } from '../helpers/leaks.js';
import { type Registry, startRegistry } from '../helpers/registry.js';

let registry: Registry;
let store: Store;
let repository: string;

test.serial.before('a committed image, named for a registry', async () => {
  registry = await startRegistry();
  store = new Store();
  repository = `${registry.host}/team/app`;
  await store.ok('run', '--name', 'made', '--network', 'none', 'busybox', 'sh', '-c', 'echo new > /made');
  await store.ok('commit', 'made', `${repository}:1`);
  await store.ok('rm', 'made');
});

test.after.always(async (t) => {
  registry.stop();
  t.deepEqual(await leaksAfterSettling(store.root), []);
  await store.destroy();
});

async function diffIds(image: string, from = store): Promise<string[]> {
  return JSON.parse(await from.ok('image', 'inspect', '-f', '{{json .RootFS.Layers}}', image));
}

test.serial('a push says what Docker says, and the registry has the image', async (t) => {
  const before = await store.ok('images', '-q', '--no-trunc', repository);
  const out = await store.ok('push', `${repository}:1`);
  const ids = (await diffIds(`${repository}:1`)).map((id) => id.slice(7, 19));
  const lines = out.trimEnd().split('\n');
  t.is(lines[0], `The push refers to repository [${repository}]`);
  t.deepEqual(
    lines.slice(1, 3),
    ids.toReversed().map((id) => `${id}: Preparing`),
  );
  for (const id of ids) t.true(lines.includes(`${id}: Pushed`), out);
  const [, digest, size] = /^1: digest: (sha256:[0-9a-f]{64}) size: (\d+)$/.exec(lines.at(-1) ?? '') ?? [];
  const raw = execFileSync('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${repository}:1`]);
  t.is(raw.length, Number(size));
  t.true(
    JSON.parse(raw.toString()).layers.every((layer: { mediaType: string }) =>
      layer.mediaType.endsWith('+gzip'),
    ),
  );
  t.is(await store.ok('images', '-q', '--no-trunc', repository), before, 'the same image');
  t.is(
    (await store.ok('inspect', '-f', '{{join .RepoDigests ","}}', `${repository}:1`)).trim(),
    `${repository}@${digest}`,
  );
  t.is(await store.ok('run', '--rm', '--network', 'none', `${repository}:1`, 'cat', '/made'), 'new\n');
});

test.serial('again, nothing is sent; another repository gets it linked', async (t) => {
  const ids = (await diffIds(`${repository}:1`)).map((id) => id.slice(7, 19));
  const again = await store.ok('push', `${repository}:1`);
  for (const id of ids) t.true(again.includes(`${id}: Layer already exists\n`), again);
  await store.ok('tag', `${repository}:1`, `${registry.host}/other:2`);
  const other = await store.ok('push', `${registry.host}/other:2`);
  for (const id of ids) t.true(other.includes(`${id}: Mounted from team/app\n`), other);
});

test.serial('all tags, and quietly', async (t) => {
  await store.ok('tag', `${repository}:1`, `${repository}:2`);
  const out = await store.ok('push', '-a', repository);
  t.regex(out, /^1: digest: /m);
  t.regex(out, /^2: digest: /m);
  await store.ok('tag', `${repository}:1`, `${repository}:latest`);
  t.is(await store.ok('push', '-q', repository), `${repository}:latest\n`);
  t.regex(await store.ok('push', repository), /^Using default tag: latest\nThe push refers to repository \[/);
});

test.serial('another store pulls and runs it', async (t) => {
  const other = new Store();
  try {
    await other.ok('pull', '-q', `${repository}:1`);
    t.deepEqual(await diffIds(`${repository}:1`, other), await diffIds(`${repository}:1`));
    t.is(await other.ok('run', '--rm', '--network', 'none', `${repository}:1`, 'cat', '/made'), 'new\n');
    // What came from a registry goes to the next one as it is.
    await other.ok('tag', `${repository}:1`, `${registry.host}/third:1`);
    const digest = (text: string) => /digest: (\S+)/.exec(text)?.[1];
    t.is(
      digest(await other.ok('push', `${registry.host}/third:1`)),
      digest(await store.ok('push', `${repository}:1`)),
    );
  } finally {
    await other.destroy();
  }
});

test.serial("what cannot be pushed is said in Docker's words", async (t) => {
  const said = async (...args: string[]) => {
    const { code, stderr } = await store.tsrun(['push', ...args]);
    t.is(code, 1);
    return stderr;
  };
  t.regex(await said(`${repository}:nosuch`), /tag does not exist: \S+\/team\/app:nosuch/);
  t.regex(await said('nosuch'), /An image does not exist locally with the tag: nosuch/);
  t.regex(await said('-a', `${repository}:1`), /tag can't be used with --all-tags\/-a/);
  t.regex(await said(`busybox@sha256:${'0'.repeat(64)}`), /cannot push a digest reference/);
  t.regex(await said('127.0.0.1:1/x'), /An image does not exist locally with the tag: 127.0.0.1:1\/x/);
  await store.ok('tag', 'busybox', '127.0.0.1:1/x');
  t.regex(await said('127.0.0.1:1/x'), /connection refused/);
});
