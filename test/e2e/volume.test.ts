/** `tsrun volume …` as Docker's users know it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Store } from '../helpers/cli.js';
import { leaksAfterSettling } from '../helpers/leaks.js';

let store: Store;

test.before(() => {
  store = new Store();
});

test.afterEach.always('nothing is left behind', async (t) => {
  t.deepEqual(await leaksAfterSettling(store.root), []);
});

test.after.always(() => store.destroy());

test.serial('create, ls, inspect and rm of a named volume', async (t) => {
  t.is(await store.ok('volume', 'create', '--label', 'a=1', '--label', 'b', 'data'), 'data\n');
  t.is(await store.ok('volume', 'create', 'data'), 'data\n', 'making it again changes nothing');
  t.is(await store.ok('volume', 'ls'), 'DRIVER    VOLUME NAME\nlocal     data\n');
  const [volume] = JSON.parse(await store.ok('volume', 'inspect', 'data'));
  const { CreatedAt, ...rest } = volume;
  t.regex(CreatedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  t.deepEqual(rest, {
    Driver: 'local',
    Labels: { a: '1', b: '' },
    Mountpoint: join(store.root, 'volumes/data/_data'),
    Name: 'data',
    Options: null,
    Scope: 'local',
  });
  t.is(await store.ok('inspect', '-f', '{{.Name}}', 'data'), 'data\n');
  t.is(await store.ok('volume', 'ls', '--format', '{{.Label "a"}} {{.Labels}}'), '1 a=1,b=\n');
  t.is(await store.ok('volume', 'rm', 'data'), 'data\n');
  t.is(await store.ok('volume', 'ls', '-q'), '');
  const gone = await store.tsrun(['volume', 'rm', 'data']);
  t.is(gone.code, 1);
  t.regex(gone.stderr, /get data: no such volume/);
  t.is(await store.ok('volume', 'rm', '-f', 'data'), 'data\n');
  const missing = await store.tsrun(['volume', 'inspect', 'data']);
  t.deepEqual([missing.code, missing.stdout], [1, '[]\n']);
});

test.serial('a name that is none is refused', async (t) => {
  for (const name of ['../up', 'x/y', '.x']) {
    const result = await store.tsrun(['volume', 'create', name]);
    t.is(result.code, 1);
    t.regex(result.stderr, /includes invalid characters for a local volume name/);
  }
  t.is((await store.tsrun(['volume', 'rm', '../volumes'])).code, 1);
  t.true(existsSync(join(store.root, 'volumes')));
});

test.serial('what a container has is not removed, whether it runs or not', async (t) => {
  const id = (await store.ok('create', '-v', 'used:/data', 'busybox', 'true')).trim();
  for (const flags of [[], ['-f']]) {
    const result = await store.tsrun(['volume', 'rm', ...flags, 'used']);
    t.is(result.code, 1);
    t.regex(result.stderr, new RegExp(`remove used: volume is in use - \\[${id}\\]`));
  }
  t.is(await store.ok('volume', 'ls', '-q', '-f', 'dangling=true'), '');
  t.is(await store.ok('volume', 'prune', '-af'), 'Total reclaimed space: 0B\n');
  await store.ok('rm', '-v', id);
  t.is(await store.ok('volume', 'ls', '-qf', 'dangling=1'), 'used\n', 'rm -v leaves what has a name');
  await store.ok('volume', 'rm', 'used');
});

test.serial('prune takes anonymous volumes, with -a named ones too, and asks first', async (t) => {
  const write = 'head -c 1000 /dev/zero > /data/f';
  const id = (
    await store.ok('run', '-d', '--network', 'none', '-v', '/data', 'busybox', 'sh', '-c', write)
  ).trim();
  await store.ok('wait', id);
  await store.ok('volume', 'create', 'named');
  await store.ok('rm', id);
  const [anonymous = ''] = (await store.ok('volume', 'ls', '-q')).match(/^[0-9a-f]{64}$/m) ?? [];
  const no = await store.tsrun(['volume', 'prune'], { input: 'n\n' });
  t.is(
    no.stdout,
    'WARNING! This will remove anonymous local volumes not used by at least one container.\n' +
      'Are you sure you want to continue? [y/N] ',
  );
  const yes = await store.tsrun(['volume', 'prune'], { input: 'y\n' });
  t.regex(yes.stdout, new RegExp(`Deleted Volumes:\n${anonymous}\n\nTotal reclaimed space: 1kB\n$`));
  t.is(await store.ok('volume', 'prune', '-a', '-f', '--filter', 'label=x'), 'Total reclaimed space: 0B\n');
  t.is(
    await store.ok('volume', 'prune', '-a', '-f'),
    'Deleted Volumes:\nnamed\n\nTotal reclaimed space: 0B\n',
  );
  const events = await store.ok('events', '--since', '1h', '--until', '0s', '--filter', 'type=volume');
  t.regex(events, /volume create named \(driver=local\)/);
  t.regex(events, /volume destroy named \(driver=local\)/);
});

test.serial('driver options: what is mounted in place of a directory, in the containers alone', async (t) => {
  const refused: [string[], string][] = [
    [['-o', 'foo=bar'], 'invalid option: "foo"'],
    [['-o', 'type=tmpfs'], 'missing required option: "device"'],
    [['-o', 'device=tmpfs'], 'missing required option: "type"'],
    [['-o', 'type=nfs', '-o', 'device=:/x', '-o', 'o=addr=host'], 'addr=host is not an IP address'],
    [['-d', 'nosuch'], 'error looking up volume plugin nosuch: plugin "nosuch" not found'],
  ];
  for (const [flags, message] of refused) {
    const { code, stderr } = await store.tsrun(['volume', 'create', ...flags, 'odd']);
    t.deepEqual([code, stderr.split('\n')[0]], [1, `tsrun: create odd: ${message}`]);
  }
  const options = { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,uid=5' };
  const flags = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  await store.ok('volume', 'create', ...flags, 'memory');
  const [inspected] = JSON.parse(await store.ok('volume', 'inspect', 'memory'));
  t.deepEqual(inspected.Options, options);
  const show = 'grep " /x " /proc/mounts; stat -c %a:%u /x; ls /x; touch /x/f; exec sleep 7777';
  const first = (
    await store.ok('run', '-d', '--network', 'none', '-v', 'memory:/x', 'busybox', 'sh', '-c', show)
  ).trim();
  while ((await store.ok('logs', first)).split('\n').length < 3);
  t.regex(await store.ok('logs', first), /^tmpfs \/x tmpfs rw,relatime,size=1024k,uid=5.*\n1777:5\n$/);
  const second = await store.tsrun(['run', '--rm', '--network', 'none', '-v', 'memory:/x', 'busybox']);
  t.is(second.code, 125);
  t.regex(second.stderr, new RegExp(`volume memory is memory of container ${first}, which runs`));
  await store.ok('rm', '-f', first);

  await store.ok('volume', 'create', 'plain');
  const device = join(store.root, 'volumes/plain/_data');
  await store.ok('volume', 'create', '-o', 'type=none', '-o', `device=${device}`, '-o', 'o=bind', 'alias');
  const box = ['run', '--rm', '--network', 'none'];
  await store.ok(...box, '-v', 'alias:/a', 'busybox', 'sh', '-c', 'mkdir /a/d; echo one > /a/d/f');
  t.is(await store.ok(...box, '-v', 'plain:/a:ro', 'busybox', 'cat', '/a/d/f'), 'one\n');
  const part = 'type=volume,src=alias,dst=/m,volume-subpath=d';
  t.is(await store.ok(...box, '--mount', part, 'busybox', 'ls', '/m'), 'f\n');
  const wish = 'type=volume,dst=/m,volume-opt=type=tmpfs,volume-opt=device=tmpfs';
  t.regex(await store.ok(...box, '--mount', wish, 'busybox', 'cat', '/proc/mounts'), /^tmpfs \/m tmpfs/m);
  t.is(await store.ok('volume', 'ls', '-qf', 'name=^(al|mem)'), 'alias\nmemory\n');
  await store.ok('volume', 'rm', 'alias', 'memory', 'plain');
});
