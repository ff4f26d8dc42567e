/** `tsrun system df`, `system prune` and `container prune` as Docker's users know them. */
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
    'WARNING! This will remove all stopped containers.\n' +
      'Are you sure you want to continue? [y/N] Total reclaimed space: 0B\n',
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
