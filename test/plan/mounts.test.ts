import test from 'ava';
import { planRun } from '../../src/plan/run.js';
import type { RunOptions } from '../../src/types/engine.js';
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
