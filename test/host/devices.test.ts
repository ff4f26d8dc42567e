import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { findDevices } from '../../src/host/devices.js';
import { refused } from '../helpers/refused.js';

const says = (path: string, reason: string) =>
  `error gathering device information while adding custom device "${path}": ${reason}`;

test('a node, by its numbers', (t) => {
  t.like(findDevices('/dev/null'), [{ path: '/dev/null', type: 'c', major: 1, minor: 3, mode: 0o666 }]);
});

test('a directory: the nodes below it, links and files left out', (t) => {
  const all = findDevices('/dev');
  t.true(all.some(({ path }) => path === '/dev/zero'));
  t.false(all.some(({ path }) => path.startsWith('/dev/pts/') || path === '/dev/stdin'));
});

test('what is no device', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-devices-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'file'), '');
  symlinkSync('nowhere', join(dir, 'link'));
  t.deepEqual(findDevices(dir), []);
  refused(t, () => findDevices(join(dir, 'file')), says(join(dir, 'file'), 'not a device node'));
  refused(t, () => findDevices(join(dir, 'no')), says(join(dir, 'no'), 'no such file or directory'));
  refused(t, () => findDevices(join(dir, 'link')), says(join(dir, 'link'), 'no such file or directory'));
});
