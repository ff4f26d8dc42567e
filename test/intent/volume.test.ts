import test from 'ava';
import { type MountIntent, parseVolume } from '../../src/intent/volume.js';
import { refused } from '../helpers/refused.js';

const cwd = '/home/me';

test('a source is a bind, a volume or absent', (t) => {
  const bind = { kind: 'bind', propagation: undefined, readonly: false, mode: '' } as const;
  const table: [string, MountIntent][] = [
    ['/a:/b', { ...bind, source: '/a', destination: '/b' }],
    ['/a/../c/:/b/.//d', { ...bind, source: '/c', destination: '/b/d' }],
    ['./x:/b', { ...bind, source: '/home/me/x', destination: '/b' }],
    ['../x:/b', { ...bind, source: '/home/x', destination: '/b' }],
    ['.:/b', { ...bind, source: '/home/me', destination: '/b' }],
    ['/a:/b:ro', { ...bind, source: '/a', destination: '/b', readonly: true, mode: 'ro' }],
    ['/a:/b:rw,z', { ...bind, source: '/a', destination: '/b', mode: 'rw,z' }],
    [
      '/a:/b:rslave,ro',
      { ...bind, source: '/a', destination: '/b', readonly: true, propagation: 'rslave', mode: 'rslave,ro' },
    ],
    [
      'data:/b',
      { kind: 'volume', source: 'data', destination: '/b', readonly: false, mode: '', nocopy: false },
    ],
    [
      'data:/b:nocopy,ro',
      { kind: 'volume', source: 'data', destination: '/b', readonly: true, mode: 'nocopy,ro', nocopy: true },
    ],
    ['/b', { kind: 'anonymous', destination: '/b', readonly: false, mode: '', nocopy: false }],
    ['/b/', { kind: 'anonymous', destination: '/b', readonly: false, mode: '', nocopy: false }],
  ];
  for (const [spec, mount] of table) t.deepEqual(parseVolume(spec, cwd), mount, spec);
});

test('what is no mount is refused in Docker’s words', (t) => {
  const invalid = (spec: string, reason: string) =>
    `invalid volume specification: '${spec}': invalid mount config for type ${reason}`;
  const chars = (name: string) =>
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`;
  const table: [string, string][] = [
    ['', 'invalid empty volume spec'],
    [':', 'invalid spec: :: empty section between colons'],
    ['/a::ro', 'invalid spec: /a::ro: empty section between colons'],
    ['/a:/b:', 'invalid spec: /a:/b:: empty section between colons'],
    ['/a:/b:ro:x', 'invalid spec: /a:/b:ro:x: too many colons'],
    ['/foo:rw', "invalid volume specification: '/foo:rw'"],
    ['/a:/b:foo', 'invalid mode: foo'],
    ['/a:/b:ro,rw', 'invalid mode: ro,rw'],
    ['/a:/b:z,Z', 'invalid mode: z,Z'],
    ['/a:/', invalid('/a:/', `"bind": invalid specification: destination can't be '/'`)],
    ['/a:/..', invalid('/a:/..', `"bind": invalid specification: destination can't be '/'`)],
    ['aa:/', invalid('aa:/', `"volume": invalid specification: destination can't be '/'`)],
    ['yyy:y', invalid('yyy:y', `"volume": invalid mount path: 'y' mount path must be absolute`)],
    ['/a:/b:nocopy', invalid('/a:/b:nocopy', '"bind": field VolumeOptions must not be specified')],
    ['aa:/b:shared', invalid('aa:/b:shared', '"volume": field BindOptions must not be specified')],
    ['y', "invalid mount path: 'y' mount path must be absolute"],
    ['/', "invalid specification: destination can't be '/'"],
    ['foo/bar:/x', chars('foo/bar')],
    ['~/x:/x', chars('~/x')],
    ['x:/y', 'create x: volume name is too short, names should be at least two alphanumeric characters'],
  ];
  for (const [spec, message] of table) refused(t, () => parseVolume(spec, cwd), message);
});
