import test from 'ava';
import { planRun } from '../../src/plan/run.js';
import type { RunOptions } from '../../src/types/engine.js';
import { parseContainerId } from '../../src/types/ids.js';
import type { ImageRunConfig } from '../../src/types/oci.js';
import { planInput } from '../helpers/plan-input.js';
import { refused } from '../helpers/refused.js';

const run = (volume: string[], image: ImageRunConfig = {}, more: Partial<RunOptions> = {}) =>
  planRun(planInput({ volume, ...more }, { Cmd: ['c'], ...image }));

const DEFAULTS = 7;

test('user mounts come after the default ones, sorted by depth', (t) => {
  const { spec } = run(['/h:/a/b/c', 'vv:/a', '/h:/etc', '/x:/a/b']);
  t.deepEqual(
    spec.mounts.slice(DEFAULTS).map(({ destination }) => destination),
    ['/a', '/etc', '/a/b', '/etc/resolv.conf', '/etc/hostname', '/etc/hosts', '/a/b/c'],
  );
});

test('a mount of the user takes the place of a default one', (t) => {
  const destinations = (volume: string[]) => run(volume).spec.mounts.map(({ destination }) => destination);
  t.is(destinations(['/x:/dev/shm']).filter((path) => path === '/dev/shm').length, 1);
  t.is(destinations(['/x:/etc/hosts']).filter((path) => path === '/etc/hosts').length, 1);
  t.deepEqual(
    destinations(['/dev:/dev']).filter((path) => path.startsWith('/dev')),
    ['/dev'],
  );
});

test('read-only is recursive where the kernel can, and propagation is private unless asked', (t) => {
  const options = (spec: string, minor: number) => {
    const input = planInput({ volume: [spec] }, { Cmd: ['c'] }, { kernel: { major: 5, minor, release: '' } });
    return planRun(input).spec.mounts.find(({ destination }) => destination === '/b')?.options;
  };
  t.deepEqual(options('/a:/b', 12), ['rbind', 'rprivate']);
  t.deepEqual(options('/a:/b:ro', 12), ['rbind', 'rprivate', 'rro']);
  t.deepEqual(options('/a:/b:ro', 11), ['rbind', 'rprivate', 'ro']);
  t.deepEqual(options('/a:/b:rslave', 12), ['rbind', 'rslave']);
  t.is(run(['/a:/b']).spec.linux.rootfsPropagation, undefined);
  t.is(run(['/a:/b:slave', '/c:/d']).spec.linux.rootfsPropagation, 'slave');
  t.is(run(['/a:/b:slave', '/c:/d:rshared']).spec.linux.rootfsPropagation, 'shared');
});

test('volumes: the image’s are anonymous unless covered; copy-up for all but nocopy and binds', (t) => {
  const plan = run(['named:/n', 'keep:/k:nocopy', '/anon', '/h:/bind', '/h:/img2'], {
    Volumes: { '/img': {}, '/img2': {}, '/n/': {}, 'rel/../up': {} },
  });
  t.deepEqual(plan.volumes, [
    { name: 'named', anonymous: false },
    { name: 'keep', anonymous: false },
    { name: 'anonymous1', anonymous: true },
    { name: 'anonymous2', anonymous: true },
    { name: 'anonymous3', anonymous: true },
  ]);
  t.deepEqual(
    plan.launch.copyUp.map(({ destination }) => destination),
    ['/n', '/anon', '/img', '/up'],
  );
  t.deepEqual(
    plan.launch.anonymousVolumes,
    [1, 2, 3].map((n) => `/store/volumes/anonymous${n}`),
  );
  t.deepEqual(plan.bindSources, ['/h', '/h']);
});

test('inspect shows them as Docker does', (t) => {
  const { mounts, hostConfig } = run(['/h:/c:ro,z', 'vol1:/b', '/q']);
  t.deepEqual(mounts, [
    {
      Type: 'volume',
      Name: 'vol1',
      Source: '/store/volumes/vol1/_data',
      Destination: '/b',
      Driver: 'local',
      Mode: 'z',
      RW: true,
      Propagation: '',
    },
    { Type: 'bind', Source: '/h', Destination: '/c', Mode: 'ro,z', RW: false, Propagation: 'rprivate' },
    {
      Type: 'volume',
      Name: 'anonymous1',
      Source: '/store/volumes/anonymous1/_data',
      Destination: '/q',
      Driver: 'local',
      Mode: '',
      RW: true,
      Propagation: '',
    },
  ]);
  t.deepEqual(hostConfig.Binds, ['/h:/c:ro,z', 'vol1:/b']);
});

test('nothing is mounted over procfs but the files that lxcfs replaces', (t) => {
  refused(t, () => run(['vv:/proc']), '"/proc" cannot be mounted because it is not of type proc');
  refused(
    t,
    () => run(['/x:/proc/self/attr']),
    '"/proc/self/attr" cannot be mounted because it is inside /proc',
  );
  refused(t, () => run(['vv:/proc/cpuinfo']), '"/proc/cpuinfo" cannot be mounted because it is inside /proc');
  t.notThrows(() => run(['/lxcfs/cpuinfo:/proc/cpuinfo:ro']));
  t.notThrows(() => run(['/x:/process']));
});

test('--mount: options of each type, and what must be there', (t) => {
  const options = (mount: string, minor = 12) => {
    const input = planInput({ mount: [mount] }, { Cmd: ['c'] }, { kernel: { major: 5, minor, release: '' } });
    return planRun(input).spec.mounts.find(({ destination }) => destination === '/b')?.options;
  };
  const bind = 'type=bind,src=/a,dst=/b';
  t.deepEqual(options(bind), ['rbind', 'rprivate']);
  t.deepEqual(options(`${bind},ro`), ['rbind', 'rprivate', 'rro']);
  t.deepEqual(options(`${bind},ro,bind-recursive=disabled`), ['bind', 'rprivate', 'ro']);
  t.deepEqual(options(`${bind},ro,bind-recursive=writable`), ['rbind', 'rprivate', 'ro']);
  const strict = `${bind},ro,bind-propagation=rprivate,bind-recursive=readonly`;
  t.deepEqual(options(strict), ['rbind', 'rprivate', 'rro']);
  refused(t, () => options(strict, 11), 'recursive read-only mounts need Linux 5.12 or later', 'HOST');
  t.deepEqual(options('type=tmpfs,dst=/b,tmpfs-size=1k'), ['nosuid', 'nodev', 'noexec', 'size=1024']);
  const { bindSources, requiredSources } = run(['/h:/c'], {}, { mount: [bind] });
  t.deepEqual([bindSources, requiredSources], [['/h'], ['/a']]);
});

test('--mount of volumes: wishes, nocopy, a part of one', (t) => {
  const { volumes, launch, config, hostConfig, mounts, spec } = run(
    [],
    {},
    {
      mount: [
        'src=data,dst=/d,volume-label=k=v,volume-opt=type=ext4,volume-opt=device=/dev/x,volume-opt=o=noatime',
        'src=part,dst=/p,volume-subpath=x/y',
        'src=keep,dst=/k,volume-nocopy',
        'dst=/anon',
      ],
    },
  );
  t.deepEqual(volumes, [
    {
      name: 'data',
      anonymous: false,
      labels: { k: 'v' },
      options: { type: 'ext4', device: '/dev/x', o: 'noatime' },
    },
    { name: 'part', anonymous: false },
    { name: 'keep', anonymous: false },
    { name: 'anonymous1', anonymous: true },
  ]);
  t.deepEqual(
    launch.copyUp.map(({ destination }) => destination),
    ['/anon'],
  );
  t.deepEqual(launch.subpaths, [{ destination: '/p', subpath: 'x/y' }]);
  t.deepEqual(
    spec.mounts.find(({ destination }) => destination === '/d'),
    { destination: '/d', type: 'ext4', source: '/dev/x', options: ['noatime'] },
  );
  t.is(config.Volumes, null);
  t.is(hostConfig.Binds, null);
  t.is((hostConfig.Mounts as unknown[]).length, 4);
  t.true(mounts.every(({ Mode }) => Mode === 'z'));
});

test('tmpfs mounts: --mount is listed, --tmpfs is not', (t) => {
  const { mounts, hostConfig, spec } = run(
    [],
    { Volumes: { '/t': {} } },
    {
      tmpfs: ['/t:size=1m', '/t/u'],
      mount: ['type=tmpfs,dst=/m,ro'],
    },
  );
  t.deepEqual(mounts, [
    { Type: 'tmpfs', Source: '', Destination: '/m', Mode: '', RW: false, Propagation: '' },
  ]);
  t.deepEqual(hostConfig.Tmpfs, { '/t': 'size=1m', '/t/u': '' });
  t.deepEqual(
    spec.mounts.filter(({ source }) => source === 'tmpfs').map(({ destination }) => destination),
    ['/dev', '/m', '/t', '/t/u'],
  );
  refused(
    t,
    () => run([], {}, { tmpfs: ['/proc/x'] }),
    '"/proc/x" cannot be mounted because it is inside /proc',
  );
});

test('--volumes-from: below what is asked for by name, above the image’s', (t) => {
  const mount = (Destination: string, more: object = {}) => ({
    Type: 'volume' as const,
    Name: `v${Destination.slice(1)}`,
    Source: `/store/volumes/v${Destination.slice(1)}/_data`,
    Destination,
    Driver: 'local',
    Mode: 'z',
    RW: true,
    Propagation: '',
    ...more,
  });
  const others: Record<string, ReturnType<typeof mount>[]> = {
    one: [mount('/a'), mount('/b', { RW: false }), mount('/c', { Name: 'one', Source: '/one' })],
    two: [mount('/c', { Name: 'two', Source: '/two' }), mount('/named')],
  };
  const peers = {
    find: (text: string) => ({
      id: parseContainerId('a'.repeat(64)),
      dir: '/x',
      ipcMode: 'private',
      mounts: others[text] ?? [],
      subpaths: new Map([['/b', 'part']]),
    }),
  };
  const shown = (volumesFrom: string[]) => {
    const input = planInput(
      { volumesFrom, volume: ['/a', '/mine:/named', '/new'] },
      { Cmd: ['c'], Volumes: { '/b': {} } },
      {},
      { peers },
    );
    const plan = planRun(input);
    return {
      ...plan,
      shown: plan.mounts.map(({ Destination, Name, Source, RW }) => `${Destination} ${Name ?? Source} ${RW}`),
    };
  };
  const { shown: list, launch, volumes, hostConfig } = shown(['one', 'two']);
  t.deepEqual(list, [
    '/a va true',
    '/b vb false',
    '/c two true',
    '/named /mine true',
    '/new anonymous1 true',
  ]);
  t.deepEqual(
    launch.copyUp.map(({ destination }) => destination),
    ['/new'],
  );
  t.deepEqual(launch.subpaths, [{ destination: '/b', subpath: 'part' }], 'no more than the other one has');
  // What is borrowed does not go with the borrower.
  t.deepEqual(launch.anonymousVolumes, ['/store/volumes/anonymous1']);
  t.deepEqual(
    volumes.filter(({ anonymous }) => anonymous).map(({ name }) => name),
    ['anonymous1'],
  );
  t.deepEqual(hostConfig.VolumesFrom, ['one', 'two']);
  t.deepEqual(shown(['one:ro']).shown.slice(0, 3), ['/a va false', '/b vb false', '/c one false']);
});
