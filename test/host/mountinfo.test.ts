import test from 'ava';
import { mountOf } from '../../src/host/mountinfo.js';

const INFO = `21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 21 0:30 / /mnt rw shared:7 - tmpfs none rw
31 30 0:31 / /mnt/a\\040b rw master:3 propagate_from:2 - tmpfs none rw
32 30 0:32 / /mnt rw - tmpfs none rw
`;

test('the mount that a path lies on, and whom it hands mounts on to', (t) => {
  const place = (path: string) => mountOf(path, INFO);
  t.deepEqual(place('/etc/x'), { place: '/', shared: false, slave: false });
  t.deepEqual(place('/mntx'), { place: '/', shared: false, slave: false });
  t.deepEqual(place('/mnt/a b/c'), { place: '/mnt/a b', shared: false, slave: true });
  t.deepEqual(place('/mnt/c'), { place: '/mnt', shared: false, slave: false }, 'the upper one of two');
  t.deepEqual(mountOf('/mnt/c', INFO.replace(/^32.*\n/m, '')), { place: '/mnt', shared: true, slave: false });
});
