/**
 * The story this project exists for, told with real parts: a registry, images of layers, a shell in a terminal, apt, a
 * commit, an image on an image, and nothing left behind. Its printed output is docs/story.md (TSRUN_WRITE_DOCS=1).
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { redisArchive, ubuntuArchive } from '../../rootfs-fixtures/debian.js';
import { run, Store, TSRUN } from '../helpers/cli.js';
import { type Docker, startDocker } from '../helpers/dockerd.js';
import { hashTree, leaksAfterSettling } from '../helpers/leaks.js';
import { codeFrames } from '../helpers/pages.js';
import { type Registry, startRegistry } from '../helpers/registry.js';
import { Terminal } from '../helpers/terminal.js';

interface Inspected {
  Id: string;
  RootFS: { Layers: string[] };
  Config: { Cmd: string[] };
  Author: string;
  State: { Pid: number };
}

let registry: Registry;
let docker: Docker;
let store: Store;
let terminal: Terminal | undefined;
/** 12 hex of the container that the user works in. */
let shell = '';

test.before('a registry with ubuntu (two layers) and redis (six), sharing their base', async () => {
  registry = await startRegistry();
  registry.push(ubuntuArchive(), 'docker.io/library/ubuntu:latest', 'library/ubuntu:latest');
  registry.push(redisArchive(), 'docker.io/library/redis:latest', 'library/redis:latest');
  docker = await startDocker();
  store = new Store({ TSRUN_CERTS_DIR: registry.certsDir });
});

test.after.always('the registry and the daemons end', async () => {
  terminal?.end();
  await store?.destroy();
  await docker?.stop();
  registry?.stop();
});

async function inspect(name: string): Promise<Inspected> {
  const [object] = JSON.parse(await store.ok('inspect', name)) as Inspected[];
  if (!object) throw new Error(`inspect ${name} printed nothing`);
  return object;
}

function layerDirectories(): string[] {
  return readdirSync(join(store.root, 'layers')).filter((name) => /^[0-9a-f]{64}$/.test(name));
}

function blobs(): string[] {
  return readdirSync(join(store.root, 'oci', 'blobs', 'sha256'));
}

test.serial('pull redis: every layer reports Pull complete, then Digest and Status', async (t) => {
  const output = await store.ok('pull', 'redis');
  t.regex(output, /^Using default tag: latest\nlatest: Pulling from library\/redis\n/);
  t.is(output.match(/^[0-9a-f]{12}: Pull complete$/gm)?.length, 6);
  t.regex(
    output,
    /\nDigest: sha256:[0-9a-f]{64}\nStatus: Downloaded newer image for redis:latest\ndocker\.io\/library\/redis:latest\n$/,
  );
  t.is(layerDirectories().length, 6);
});

test.serial('pull ubuntu: the shared layer says Already exists and takes no disk twice', async (t) => {
  const output = await store.ok('pull', 'ubuntu');
  t.is(output.match(/: Already exists$/gm)?.length, 1);
  t.is(output.match(/: Pull complete$/gm)?.length, 1);
  t.is(layerDirectories().length, 7);
});

test.serial('redis has its whiteouts, opaque directory and file capability', async (t) => {
  const script = [
    'ls -d /usr/share/doc/redis-server 2>&1 || true',
    'ls /var/cache/debconf',
    'stat -c %u:%g /data',
    'redis-server --version',
  ].join('; ');
  const output = await store.ok(
    'run',
    '--rm',
    '--network',
    'none',
    '--entrypoint',
    'sh',
    'redis',
    '-c',
    script,
  );
  const [gone, opaque, owner, version] = output.split('\n');
  t.is(gone, "ls: cannot access '/usr/share/doc/redis-server': No such file or directory");
  t.is(opaque, 'readme');
  t.is(owner, '0:0');
  t.regex(version ?? '', /^Redis server v=7/);
  const raw = await store.ok(
    'run',
    '--rm',
    '--network',
    'none',
    '-u',
    '65534',
    '--entrypoint',
    '/usr/local/bin/busybox',
    'redis',
    'sh',
    '-c',
    'while read -r line; do case $line in CapEff*) echo $line ;; esac; done < /proc/self/status',
  );
  t.regex(raw, /^CapEff: 0000000000002000\n/, 'cap_net_raw of the file is in effect for an ordinary user');
});

test.serial('a shell in a terminal installs vim from the Debian mirror', async (t) => {
  terminal = new Terminal(`${TSRUN} run -it ubuntu /bin/bash`, { env: store.environment() });
  const prompt = await terminal.waitFor(/root@([0-9a-f]{12}):\/# $/m);
  shell = /root@([0-9a-f]{12})/.exec(prompt)?.[1] ?? '';
  terminal.type('apt-get update && apt-get install -y vim; echo "apt ended with $?"');
  terminal.press('Enter');
  const screen = await terminal.waitFor(/^apt ended with \d+$/m, 240);
  t.regex(screen, /^apt ended with 0$/m);
  t.regex(screen, /Setting up vim /);
  terminal.type('exit');
  terminal.press('Enter');
  await terminal.waitForEnd(); // of the client, not only of the container
  t.is(await store.ok('wait', shell), '0\n');
  store.transcript.push(`$ tsrun run -it ubuntu /bin/bash\n${excerpt(screen)}`);
  terminal.end();
  terminal = undefined;
  t.regex(await store.ok('ps', '-a'), new RegExp(`^${shell} +ubuntu +"/bin/bash" .*Exited \\(0\\)`, 'm'));
});

/** The first and last lines of a long screen. */
function excerpt(screen: string): string {
  const lines = screen.split('\n').filter((line) => line.trim() !== '' && !line.includes('Pane is dead'));
  return [...lines.slice(0, 4), '…', ...lines.slice(-4), ''].join('\n');
}

test.serial('commit as a user types it; history and inspect tell of it', async (t) => {
  const before = (await inspect('ubuntu')).RootFS.Layers;
  const id = await store.ok('commit', '-m=add vim', '-a=xiaoyan', shell, 'test/ubuntu-vim:latest');
  t.regex(id, /^sha256:[0-9a-f]{64}\n$/);
  const image = await inspect('test/ubuntu-vim');
  t.is(image.Id, id.trim());
  t.is(image.Author, 'xiaoyan');
  t.deepEqual(image.RootFS.Layers.slice(0, -1), before);
  t.regex((await store.ok('history', 'test/ubuntu-vim')).split('\n')[1] ?? '', /\/bin\/bash .* add vim *$/);
  await store.ok('commit', '-m', '加入 vim', '-a', '小燕', shell, 'test/utf8:latest');
  t.is((await inspect('test/utf8')).Author, '小燕');
  t.regex(await store.ok('history', 'test/utf8'), /加入 vim/);
});

test.serial('image on image on image', async (t) => {
  t.regex(await store.ok('run', '--rm', 'test/ubuntu-vim', 'vim', '--version'), /^VIM - Vi IMproved/);
  const names = ['test/ubuntu-vim', 'test/two', 'test/three', 'test/four'];
  for (const [index, base] of names.slice(0, -1).entries()) {
    await store.ok(
      'run',
      '--name',
      `step${index}`,
      '--network',
      'none',
      base,
      'sh',
      '-c',
      `echo ${index} >> /steps`,
    );
    await store.ok('commit', `step${index}`, `${names[index + 1]}:latest`);
    await store.ok('rm', `step${index}`);
  }
  t.is(await store.ok('run', '--rm', '--network', 'none', 'test/four', 'cat', '/steps'), '0\n1\n2\n');
  t.is((await inspect('test/four')).RootFS.Layers.length, (await inspect('ubuntu')).RootFS.Layers.length + 4);
});

test.serial('two distributions, one kernel', async (t) => {
  const host = readFileSync('/proc/sys/kernel/osrelease', 'utf8');
  t.is(await store.ok('run', '--rm', 'ubuntu', 'uname', '-r'), host);
  t.is(await store.ok('run', '--rm', 'busybox', 'uname', '-r'), host);
  t.regex(await store.ok('run', '--rm', 'ubuntu', 'cat', '/etc/os-release'), /Debian GNU\/Linux 12/);
});

test.serial('writes are unseen next door and never touch a lower layer', async (t) => {
  const hashes = () => layerDirectories().map((name) => hashTree(join(store.root, 'layers', name)));
  const before = hashes();
  await store.ok(
    'run',
    '--name',
    'writer',
    '--network',
    'none',
    'ubuntu',
    'sh',
    '-c',
    'echo changed > /etc/motd; rm /etc/issue; touch /new',
  );
  const seen = await store.ok(
    'run',
    '--rm',
    '--network',
    'none',
    'ubuntu',
    'sh',
    '-c',
    'cat /etc/motd; ls /etc/issue; ls /new 2>&1 || true',
  );
  t.is(seen.split('\n').slice(0, 2).join('\n'), 'A Debian that answers to ubuntu.\n/etc/issue');
  t.regex(seen, /cannot access '\/new'/);
  t.is(await store.ok('diff', 'writer'), 'C /etc\nD /etc/issue\nC /etc/motd\nA /new\n');
  t.deepEqual(hashes(), before);
  await store.ok('rm', 'writer');
});

test.serial('two containers of one image map the same page-cache pages of a library', async (t) => {
  const frames = [];
  for (const name of ['one', 'two']) {
    await store.ok('run', '-d', '--name', name, '--network', 'none', 'ubuntu', 'sleep', '1000');
    frames.push(codeFrames((await inspect(name)).State.Pid, 'libc.so.6'));
  }
  const [one, two] = frames as [Map<bigint, bigint>, Map<bigint, bigint>];
  const both = [...one.keys()].filter((offset) => two.has(offset));
  // Checked page by page: the physical frame behind each file offset, as /proc/PID/pagemap tells it to root.
  t.true(both.length > 10, `${both.length} pages are mapped by both`);
  t.true(both.every((offset) => one.get(offset) !== 0n && one.get(offset) === two.get(offset)));
  await store.ok('rm', '-f', 'one', 'two');
});

test.serial('the committed image loads in docker, podman and skopeo, and theirs load here', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-story-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const saved = join(dir, 'vim.tar');
  await store.ok('save', '-o', saved, 'test/ubuntu-vim:latest');

  const byDocker = await docker.docker(['load', '-i', saved]);
  t.is(byDocker.stdout, 'Loaded image: test/ubuntu-vim:latest\n', byDocker.stderr);
  const vim = await docker.docker([
    'run',
    '--rm',
    '--network',
    'none',
    'test/ubuntu-vim',
    'vim',
    '--version',
  ]);
  t.regex(vim.stdout, /^VIM - Vi IMproved/, vim.stderr);

  const podmanRoots = [
    '--root',
    join(dir, 'podman'),
    '--runroot',
    join(dir, 'podman-run'),
    '--storage-driver',
    'vfs',
  ];
  const podman = (...args: string[]) => run('unshare', ['-m', 'podman', ...podmanRoots, ...args]);
  const byPodman = await podman('load', '-i', saved);
  t.regex(byPodman.stdout, /Loaded image.*test\/ubuntu-vim:latest/, byPodman.stderr);

  const bySkopeo = await run('skopeo', [
    'copy',
    '--quiet',
    `docker-archive:${saved}`,
    `oci:${join(dir, 'oci')}:copy`,
  ]);
  t.is(bySkopeo.code, 0, bySkopeo.stderr);

  await docker.docker(['tag', 'test/ubuntu-vim', 'from/docker']);
  t.is((await docker.docker(['save', '-o', join(dir, 'docker.tar'), 'from/docker'])).code, 0);
  t.is(await store.ok('load', '-i', join(dir, 'docker.tar')), 'Loaded image: from/docker:latest\n');
  t.is((await podman('tag', 'test/ubuntu-vim', 'docker.io/from/podman:latest')).code, 0);
  const podmanSave = await podman('save', '-o', join(dir, 'podman.tar'), 'docker.io/from/podman:latest');
  t.is(podmanSave.code, 0, podmanSave.stderr);
  t.is(await store.ok('load', '-i', join(dir, 'podman.tar')), 'Loaded image: from/podman:latest\n');
  await run('skopeo', [
    'copy',
    '--quiet',
    `oci:${join(dir, 'oci')}:copy`,
    `oci-archive:${join(dir, 'skopeo.tar')}:docker.io/from/skopeo:latest`,
  ]);
  t.is(await store.ok('load', '-i', join(dir, 'skopeo.tar')), 'Loaded image: from/skopeo:latest\n');
  for (const name of ['docker', 'podman', 'skopeo']) {
    t.regex(
      await store.ok('run', '--rm', '--network', 'none', `from/${name}`, 'vim', '--version'),
      /^VIM - Vi IMproved/,
    );
  }

  const inPlace = join(store.root, 'oci');
  const inspected = await run('skopeo', ['inspect', `oci:${inPlace}:docker.io/test/ubuntu-vim:latest`]);
  t.is(inspected.code, 0, inspected.stderr);
  const listed = await run('umoci', ['ls', '--layout', inPlace]);
  t.regex(listed.stdout, /docker\.io\/test\/ubuntu-vim:latest/, listed.stderr);
  t.is((await run('umoci', ['stat', '--image', `${inPlace}:docker.io/test/ubuntu-vim:latest`])).code, 0);
});

test.serial('rmi -f redis: untagged and deleted in order, and what ubuntu needs stays', async (t) => {
  const layers = (await inspect('redis')).RootFS.Layers.length;
  const lines = (await store.ok('rmi', '-f', 'redis')).trimEnd().split('\n');
  t.is(lines[0], 'Untagged: redis:latest');
  t.regex(lines[1] ?? '', /^Untagged: redis@sha256:[0-9a-f]{64}$/);
  t.is(lines.slice(2).length, 1 + (layers - 1), 'the image and the five layers that only redis had');
  t.true(lines.slice(2).every((line) => /^Deleted: sha256:[0-9a-f]{64}$/.test(line)));
  t.regex(
    await store.ok('run', '--rm', '--network', 'none', 'ubuntu', 'cat', '/etc/motd'),
    /answers to ubuntu/,
  );
});

test.serial('after the last rmi and rm nothing is left', async (t) => {
  const containers = (await store.ok('ps', '-aq')).split('\n').filter(Boolean);
  await store.ok('rm', '-f', ...containers);
  const images = (await store.ok('images', '-q', '--no-trunc')).split('\n').filter(Boolean);
  await store.ok('rmi', '-f', ...new Set(images));
  t.is(await store.ok('images', '-aq'), '');
  t.deepEqual(blobs(), []);
  t.deepEqual(layerDirectories(), []);
  t.deepEqual(await leaksAfterSettling(store.root), []);
  t.false(existsSync('/sys/class/net/tsrun0'), 'the bridge went with the last container');
});

test.serial('the printed story is kept as docs/story.md', (t) => {
  t.true(store.transcript.length > 20);
  if (process.env.TSRUN_WRITE_DOCS) writeFileSync('docs/story.md', storyPage(store.transcript));
});

function storyPage(transcript: string[]): string {
  const shorten = (entry: string) => {
    const lines = entry.trimEnd().split('\n');
    return lines.length <= 24 ? lines : [...lines.slice(0, 10), '…', ...lines.slice(-10)];
  };
  const body = transcript
    .map((entry) => shorten(entry).join('\n'))
    .join('\n\n')
    .replaceAll(/https?:\/\/[^/\s]+/g, 'http://the-debian-mirror');
  return `# The story, as it was printed

Made by \`TSRUN_WRITE_DOCS=1 npx ava test/e2e/story.test.ts\`; long outputs are cut.

\`\`\`console
${body}
\`\`\`
`;
}
