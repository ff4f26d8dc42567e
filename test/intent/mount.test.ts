import test from 'ava';
import { parseCsv } from '../../src/intent/csv.js';
import { parseMount } from '../../src/intent/mount.js';
import { parseMounts } from '../../src/intent/mounts.js';
import { parseTmpfs } from '../../src/intent/tmpfs.js';
import { parseVolumesFrom } from '../../src/intent/volumes-from.js';
import { refused } from '../helpers/refused.js';

const mount = (spec: string) => JSON.parse(JSON.stringify(parseMount(spec, '/w')));
const TMPFS = ['nosuid', 'nodev', 'noexec'];

test('--mount: what it means', (t) => {
  const bind = {
    kind: 'bind',
    source: '/tmp',
    destination: '/a',
    readonly: false,
    mode: '',
    mustExist: true,
  };
  const api = { Type: 'bind', Source: '/tmp', Target: '/a' };
  const table: [string, object][] = [
    ['type=bind,src=/tmp,dst=/a', { ...bind, api }],
    ['TYPE=bind,Source=/tmp/,Target=/a/', { ...bind, api: { ...api, Source: '/tmp/', Target: '/a/' } }],
    ['type=bind,"src=/tmp",destination=/a', { ...bind, api }],
    ['type=bind,"src=/a,b",dst=/a', { ...bind, source: '/a,b', api: { ...api, Source: '/a,b' } }],
    ['type=bind,src=./x,dst=/a', { ...bind, source: '/w/x', api: { ...api, Source: '/w/x' } }],
    ['type=bind,src=/tmp,dst=/a,ro', { ...bind, readonly: true, api: { ...api, ReadOnly: true } }],
    ['type=bind,src=/tmp,dst=/a,readonly=1', { ...bind, readonly: true, api: { ...api, ReadOnly: true } }],
    ['type=bind,src=/tmp,dst=/a,readonly=false', { ...bind, api }],
    [
      'type=bind,src=/tmp,dst=/a,bind-propagation=rslave',
      { ...bind, propagation: 'rslave', api: { ...api, BindOptions: { Propagation: 'rslave' } } },
    ],
    ...['bind-nonrecursive', 'bind-recursive=disabled'].map((option): [string, object] => [
      `type=bind,src=/tmp,dst=/a,${option}`,
      { ...bind, recursion: 'disabled', api: { ...api, BindOptions: { NonRecursive: true } } },
    ]),
    ['type=bind,src=/tmp,dst=/a,consistency=Cached', { ...bind, api: { ...api, Consistency: 'cached' } }],
    [
      'dst=/a',
      {
        kind: 'anonymous',
        destination: '/a',
        readonly: false,
        mode: '',
        nocopy: false,
        api: { Type: 'volume', Target: '/a' },
      },
    ],
    [
      'src=data,dst=/a,volume-nocopy,volume-label=k=v,volume-label=__proto__,volume-driver=local',
      {
        kind: 'volume',
        source: 'data',
        destination: '/a',
        readonly: false,
        mode: '',
        nocopy: true,
        labels: JSON.parse('{"k":"v","__proto__":""}'),
        api: {
          Type: 'volume',
          Source: 'data',
          Target: '/a',
          VolumeOptions: {
            NoCopy: true,
            Labels: JSON.parse('{"k":"v","__proto__":""}'),
            DriverConfig: { Name: 'local' },
          },
        },
      },
    ],
    [
      'type=volume,src=data,dst=/a,volume-subpath=x/y,ro',
      {
        kind: 'volume',
        source: 'data',
        destination: '/a',
        readonly: true,
        mode: '',
        nocopy: false,
        subpath: 'x/y',
        api: {
          Type: 'volume',
          Source: 'data',
          Target: '/a',
          ReadOnly: true,
          VolumeOptions: { Subpath: 'x/y' },
        },
      },
    ],
    [
      'type=tmpfs,dst=/a,tmpfs-size=1m,tmpfs-mode=1770,ro',
      {
        kind: 'tmpfs',
        destination: '/a',
        text: '',
        options: [...TMPFS, 'mode=1770', 'size=1048576', 'ro'],
        api: {
          Type: 'tmpfs',
          Target: '/a',
          ReadOnly: true,
          TmpfsOptions: { SizeBytes: 1048576, Mode: 0o1770 },
        },
      },
    ],
  ];
  for (const [spec, expected] of table) t.deepEqual(mount(spec), expected, spec);
});

test('--mount: what the flag refuses', (t) => {
  const needs = (recursion: string, what: string) =>
    `option 'bind-recursive=${recursion}' requires '${what}' to be specified in conjunction`;
  const table: [string, string][] = [
    ['', 'EOF'],
    ['type=bind,src=/tmp', 'target is required'],
    ['type=,dst=/a', 'type is required'],
    ['type=bind,foo=bar,dst=/a', "unexpected key 'foo' in 'foo=bar'"],
    ['type=bind,=x,dst=/a', "unexpected key '' in '=x'"],
    ['type=bind,constructor=x,dst=/a', "unexpected key 'constructor' in 'constructor=x'"],
    ['type=bind,src=/tmp,dst=/a,foo', "invalid field 'foo' must be a key=value pair"],
    ['dst', "invalid field 'dst' must be a key=value pair"],
    ['"type=bind', 'parse error on line 1, column 11: extraneous or missing " in quoted-field'],
    ['a"b,dst=/a', 'parse error on line 1, column 2: bare " in non-quoted field'],
    ['dst=/a,ro=foo', 'invalid value for ro: foo'],
    ['src=vv,dst=/a,volume-nocopy=foo', 'invalid value for volume-nocopy: foo'],
    ['type=tmpfs,dst=/a,tmpfs-size=abc', 'invalid value for tmpfs-size: abc'],
    ['type=tmpfs,dst=/a,tmpfs-mode=999', 'invalid value for tmpfs-mode: 999'],
    [
      'type=bind,src=/tmp,dst=/a,bind-recursive=foo',
      'invalid value for bind-recursive: foo (must be "enabled", "disabled", "writable", or "readonly")',
    ],
    ['type=bind,src=/tmp,dst=/a,tmpfs-size=1m', "cannot mix 'tmpfs-*' options with mount type 'bind'"],
    ['type=bind,src=/tmp,dst=/a,volume-nocopy', "cannot mix 'volume-*' options with mount type 'bind'"],
    ['src=vv,dst=/a,bind-propagation=rslave', "cannot mix 'bind-*' options with mount type 'volume'"],
    ['type=bind,src=/tmp,dst=/a,bind-recursive=writable', needs('writable', 'readonly')],
    ['type=bind,src=/tmp,dst=/a,bind-recursive=readonly', needs('readonly', 'readonly')],
    ['type=bind,src=/tmp,dst=/a,ro,bind-recursive=readonly', needs('readonly', 'bind-propagation=rprivate')],
  ];
  for (const [spec, reason] of table) {
    refused(t, () => mount(spec), `invalid argument ${JSON.stringify(spec)} for "--mount" flag: ${reason}`);
  }
});

test('--mount: what the types refuse', (t) => {
  const table: [string, string, string][] = [
    ['foo', 'dst=/a', 'mount type unknown'],
    ['image', 'src=busybox,dst=/a', 'mount type unknown'],
    ['bind', 'dst=/a', 'field Source must not be empty'],
    ['bind', 'src=tmp,dst=/a', "invalid mount path: 'tmp' mount path must be absolute"],
    ['bind', 'src=/tmp,dst=a', "invalid mount path: 'a' mount path must be absolute"],
    ['bind', 'src=/tmp,dst=/', "invalid specification: destination can't be '/'"],
    ['bind', 'src=/tmp,dst=/a,bind-propagation=foo', 'invalid propagation mode: foo'],
    ['volume', 'src=vv,dst=/a/..', "invalid specification: destination can't be '/'"],
    ['volume', 'dst=/a,ro', 'must not set ReadOnly mode when using anonymous volumes'],
    ['volume', 'dst=/a,volume-subpath=x', 'must not set Subpath when using anonymous volumes'],
    ...['/x', '../x', 'a/../../x'].map((path): [string, string, string] => [
      'volume',
      `src=vv,dst=/a,volume-subpath=${path}`,
      'subpath must be a relative path within the volume',
    ]),
    ['tmpfs', 'src=x,dst=/a', 'field Source must not be specified'],
  ];
  for (const [type, rest, reason] of table) {
    refused(t, () => mount(`type=${type},${rest}`), `invalid mount config for type "${type}": ${reason}`);
  }
  refused(
    t,
    () => mount('src=v,dst=/a'),
    'create v: volume name is too short, names should be at least two alphanumeric characters',
  );
  refused(
    t,
    () => mount('src=vv,dst=/a,volume-driver=nosuch'),
    'error looking up volume plugin nosuch: plugin "nosuch" not found',
  );
});

test('comma-separated values', (t) => {
  t.deepEqual(parseCsv('a,,b'), ['a', '', 'b']);
  t.deepEqual(parseCsv('"a ""b"", c",d,'), ['a "b", c', 'd', '']);
  t.deepEqual(parseCsv('a\nb'), ['a']);
  t.throws(() => parseCsv('é,"a"b'), { message: /column 6: extraneous/ });
});

test('--tmpfs', (t) => {
  const table: [string, string, string[]][] = [
    ['/a', '', TMPFS],
    ['/a/', '', TMPFS],
    ['/a:', '', TMPFS],
    [
      '/a:size=1m,mode=1777,exec',
      'size=1m,mode=1777,exec',
      ['nosuid', 'nodev', 'size=1m', 'mode=1777', 'exec'],
    ],
    ['/a:size=1m,size=2m', 'size=1m,size=2m', [...TMPFS, 'size=2m']],
    ['/a:rw,ro', 'rw,ro', [...TMPFS, 'ro']],
    ['/a:ro,rw', 'ro,rw', [...TMPFS, 'rw']],
    ['/a:defaults,noatime,atime', 'defaults,noatime,atime', [...TMPFS, 'atime']],
    [
      '/a:uid=5,gid=6,nr_inodes=4k,size=10%',
      'uid=5,gid=6,nr_inodes=4k,size=10%',
      [...TMPFS, 'uid=5', 'gid=6', 'nr_inodes=4k', 'size=10%'],
    ],
  ];
  for (const [spec, text, options] of table) {
    t.deepEqual(parseTmpfs(spec), { kind: 'tmpfs', destination: '/a', text, options }, spec);
  }
  const refusals: [string, string][] = [
    ['a', "invalid mount path: 'a' mount path must be absolute"],
    ['/', "invalid specification: destination can't be '/'"],
    ...['foo', 'b:c', 'size=abc', 'mode=999', 'uid=x', 'rbind', 'lowerdir=/etc', 'size'].map(
      (option): [string, string] => [`/a:${option}`, `invalid tmpfs option ["${option}"]`],
    ),
  ];
  for (const [spec, message] of refusals) refused(t, () => parseTmpfs(spec), message);
});

test('one mount per place', (t) => {
  const shown = (options: Parameters<typeof parseMounts>[0]) =>
    parseMounts(options, '/w').map(({ kind, destination }) => `${kind} ${destination}`);
  t.deepEqual(shown({ tmpfs: ['/a', '/a/:ro'], volume: ['/a', '/b'] }), ['anonymous /b', 'tmpfs /a']);
  t.deepEqual(shown({ mount: ['dst=/a'], volume: ['/a', '/a'] }), ['anonymous /a']);
  const conflict = 'Duplicate mount point: /a';
  refused(t, () => shown({ tmpfs: ['/a'], volume: ['/x:/a'] }), conflict);
  refused(t, () => shown({ mount: ['type=tmpfs,dst=/a', 'src=vv,dst=/a'] }), conflict);
  refused(t, () => shown({ mount: ['type=bind,src=/x,dst=/a'], volume: ['/y:/a'] }), conflict);
});

test('--volumes-from', (t) => {
  t.deepEqual(parseVolumesFrom('c'), { text: 'c', container: 'c' });
  t.deepEqual(parseVolumesFrom('c:ro'), { text: 'c:ro', container: 'c', readonly: true });
  t.deepEqual(parseVolumesFrom('c:rw,z'), { text: 'c:rw,z', container: 'c', readonly: false });
  refused(t, () => parseVolumesFrom(''), 'volumes-from specification cannot be an empty string');
  refused(t, () => parseVolumesFrom('c:foo'), 'invalid mode: foo');
  refused(t, () => parseVolumesFrom('c:ro:x'), 'invalid mode: ro:x');
});
