/** `tsrun system df`, `system prune` and `container prune` as Docker's users know them. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
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

test.serial('an empty store takes nothing', async (t) => {
  t.is(
    await store.ok('system', 'df'),
    'TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE\n' +
      'Images          0         0         0B        0B\n' +
      'Containers      0         0         0B        0B\n' +
      'Local Volumes   0         0         0B        0B\n' +
      'Build Cache     0         0         0B        0B\n',
  );
  t.is(await store.ok('container', 'prune', '-f'), 'Total reclaimed space: 0B\n');
});

test.serial('df counts, prune asks and takes what nothing uses', async (t) => {
  const write = 'head -c 1000 /dev/zero > /data/f; head -c 2000 /dev/zero > /f';
  const flags = ['--network', 'none', '-v', '/data', '--label', 'keep=no'];
  const id = (await store.ok('run', '-d', ...flags, 'busybox', 'sh', '-c', write)).trim();
  await store.ok('wait', id);
  const df = await store.ok(
    'system',
    'df',
    '--format',
    '{{.Type}} {{.TotalCount}} {{.Active}} {{.Reclaimable}}',
  );
  t.is(df, 'Images 1 1 0B (0%)\nContainers 1 0 2kB (100%)\nLocal Volumes 1 1 0B (0%)\nBuild Cache 0 0 0B\n');
  const verbose = await store.ok('system', 'df', '-v');
  t.regex(verbose, /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS$/m);
  t.regex(verbose, new RegExp(`^${id.slice(0, 12)} +busybox +"sh -c 'head.*" +1 +2kB `, 'm'));
  t.regex(verbose, /^[0-9a-f]{64} +1 +1kB$/m);

  const no = await store.tsrun(['container', 'prune'], { input: '\n' });
  t.is(
    no.stdout,
    'WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ',
  );
  t.is(await store.ok('container', 'prune', '-f', '--filter', 'label!=keep'), 'Total reclaimed space: 0B\n');
  const { stdout } = await store.tsrun(['system', 'prune', '-a', '--volumes'], { input: 'y\n' });
  t.regex(stdout, /^WARNING! This will remove:\n {2}- all stopped containers\n/);
  t.regex(
    stdout,
    new RegExp(`Deleted Containers:\n${id}\n\nDeleted Volumes:\n[0-9a-f]{64}\n\nDeleted Images:\n`),
  );
  t.regex(stdout, /untagged: busybox:latest\n(?:untagged: .*\n)*deleted: sha256:/);
  t.regex(stdout, /Total reclaimed space: [\d.]+[kM]B\n$/);
  t.is(await store.ok('images', '-q'), '');
});

test.serial('filters: by age and label, told in the question', async (t) => {
  const [old, young] = await Promise.all(
    ['yes', 'no'].map(async (keep) =>
      (await store.ok('create', '--label', `keep=${keep}`, 'busybox', 'true')).trim(),
    ),
  );
  t.is(await store.ok('container', 'prune', '-f', '--filter', 'until=1h'), 'Total reclaimed space: 0B\n');
  const taken = await store.ok(
    'container',
    'prune',
    '-f',
    '--filter',
    'until=0s',
    '--filter',
    'label=keep=no',
  );
  t.regex(taken, new RegExp(`^Deleted Containers:\n${young}\n\n`));
  const asked = await store.tsrun(['system', 'prune', '-a', '--filter', 'until=24h', '--filter', 'label=x']);
  t.regex(
    asked.stdout,
    /all build cache\n\n {2}Items to be pruned will be filtered with:\n {2}- until=24h\n {2}- label=x\n\nAre you sure/,
  );
  const refused: [string[], string][] = [
    [
      ['system', 'prune', '--volumes', '--filter', 'until=1h'],
      'ERROR: The "until" filter is not supported with "--volumes"',
    ],
    [['container', 'prune', '-f', '--filter', 'foo=1'], "tsrun: Invalid filter 'foo'"],
    [
      ['container', 'prune', '-f', '--filter', 'until=1h', '--filter', 'until=2h'],
      'tsrun: more than one until filter specified',
    ],
  ];
  for (const [args, message] of refused) {
    const { code, stderr } = await store.tsrun(args);
    t.deepEqual([code, stderr.split('\n')[0]], [1, message]);
  }
  t.is(
    await store.ok('image', 'prune', '-af', '--filter', 'until=1s'),
    'Total reclaimed space: 0B\n',
    'it is used',
  );
  await store.ok('rm', old ?? '');
});

test.serial('what a pull that did not end has left: counted, and taken by the next prune', async (t) => {
  const blob = join(store.root, 'oci/blobs/sha256', 'ab'.repeat(32));
  const part = join(store.root, 'staging/ingest', 'cd'.repeat(32));
  writeFileSync(blob, Buffer.alloc(3000));
  writeFileSync(part, Buffer.alloc(2000));
  const before = await store.ok('system', 'df', '--format', '{{.Type}} {{.Reclaimable}}');
  t.regex(before, /^Images [\d.]+[kM]B /);
  t.true(existsSync(blob) && existsSync(part), 'kept for the next pull');
  t.is(await store.ok('image', 'prune', '-f', '--filter', 'label=x'), 'Total reclaimed space: 5kB\n');
  t.false(existsSync(blob) || existsSync(part));
});

test.serial('a journal that has grown is moved on by the monitors, and read whole', async (t) => {
  await store.ok('ps');
  const journal = join(store.root, 'events.jsonl');
  const time = Math.floor(Date.now() / 1000) - 60;
  const old = `{"Type":"volume","Action":"create","Actor":{"ID":"old","Attributes":{}},"scope":"local","time":${time},"timeNano":${time}000000000}\n`;
  writeFileSync(journal, old.repeat(Math.ceil((8 << 20) / old.length)));
  const id = (await store.ok('run', '-d', '--network', 'none', 'busybox', 'true')).trim();
  await store.ok('wait', id);
  await store.ok('rm', id);
  t.true(statSync(`${journal}.1`).size > 8 << 20);
  t.true(statSync(journal).size < 10_000);
  const read = ['events', '--since', '30s', '--until', '0s', '--format', '{{.Action}}'];
  const actions = (await store.ok(...read, '-f', `container=${id}`)).trim().split('\n');
  t.deepEqual(actions, ['create', 'start', 'die', 'destroy'], 'across both files');
});
