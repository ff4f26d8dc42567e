import test from 'ava';
import { parseDevice, parseDeviceRule } from '../../src/intent/device.js';
import { type Namespaces, parseNamespaces } from '../../src/intent/namespaces.js';
import { parseSecurity } from '../../src/intent/security.js';
import { parseSysctls } from '../../src/intent/sysctl.js';
import { usage } from '../../src/intent/usage.js';
import type { NamespaceOptions, SecurityOptions } from '../../src/types/run-options.js';
import { refused } from '../helpers/refused.js';

test('namespaces', (t) => {
  const own: Namespaces = {
    pid: 'private',
    ipc: 'private',
    uts: 'private',
    cgroup: 'private',
    user: '',
    cgroupParent: undefined,
  };
  const table: [NamespaceOptions, Partial<Namespaces>][] = [
    [{ pid: '', ipc: '', uts: '', cgroupns: '' }, {}],
    [
      { pid: 'host', ipc: 'host', uts: 'host', cgroupns: 'host', userns: 'host' },
      {
        pid: 'host',
        ipc: 'host',
        uts: 'host',
        cgroup: 'host',
        user: 'host',
      },
    ],
    [
      { pid: 'container:x', ipc: 'container:y' },
      { pid: { container: 'x' }, ipc: { container: 'y' } },
    ],
    [{ ipc: 'none', cgroupns: 'private' }, { ipc: 'none' }],
    [{ ipc: 'shareable' }, { ipc: 'shareable' }],
    [{ cgroupParent: '/a/b' }, { cgroupParent: { text: '/a/b', path: '/a/b' } }],
    [{ cgroupParent: '../../x/' }, { cgroupParent: { text: '../../x/', path: '/x' } }],
  ];
  for (const [options, expected] of table) t.deepEqual(parseNamespaces(options), { ...own, ...expected });
  const refusals: [NamespaceOptions, string][] = [
    ...['foo', 'container:', 'container', 'private'].map((pid): [NamespaceOptions, string] => [
      { pid },
      '--pid: invalid PID mode',
    ]),
    [{ ipc: 'foo' }, 'Invalid IPC mode: foo'],
    [{ ipc: 'container:' }, `can't join IPC of container : invalid name or ID supplied: ""`],
    [{ uts: 'private' }, '--uts: invalid UTS mode'],
    [{ uts: 'container:x' }, '--uts: invalid UTS mode'],
    [{ cgroupns: 'foo' }, '--cgroupns: invalid CGROUP mode'],
    [{ userns: 'auto' }, '--userns: invalid USER mode'],
    [{ cgroupParent: 'a\nb' }, 'invalid cgroup parent: "a\\nb"'],
  ];
  for (const [options, message] of refusals) refused(t, () => parseNamespaces(options), message);
});

test('sysctls: only what a namespace confines', (t) => {
  t.deepEqual(
    parseSysctls(['net.ipv4.ip_forward=1', 'kernel.shmmax=2', 'fs.mqueue.msg_max=3', 'kernel.sem=1 2 3 4']),
    {
      'net.ipv4.ip_forward': '1',
      'kernel.shmmax': '2',
      'fs.mqueue.msg_max': '3',
      'kernel.sem': '1 2 3 4',
    },
  );
  for (const text of [
    'foo',
    'foo=bar',
    '=x',
    'net.ipv4.ip_forward',
    'kernel.hostname=x',
    'kernel.domainname=x',
    'kernel.core_pattern=|/x',
    'vm.swappiness=1',
    'net/ipv4/ip_forward=1',
    'net...kernel.core_pattern=|/x',
  ]) {
    refused(
      t,
      () => parseSysctls([text]),
      `invalid argument "${text}" for "--sysctl" flag: sysctl '${text}' is not allowed`,
    );
  }
});

test('devices', (t) => {
  const table: [string, string, string, string][] = [
    ['/dev/null', '/dev/null', '/dev/null', 'rwm'],
    ['/dev/null:rw', '/dev/null', '/dev/null', 'rw'],
    ['/dev/null:/dev/x', '/dev/null', '/dev/x', 'rwm'],
    ['/dev/null:/dev/x:r', '/dev/null', '/dev/x', 'r'],
    ['/dev/a/../b:/dev/c/', '/dev/b', '/dev/c', 'rwm'],
  ];
  for (const [text, host, container, permissions] of table) {
    t.deepEqual(parseDevice(text), { host, container, permissions }, text);
  }
  const refusals: [string, string][] = [
    ['', 'bad format for path: '],
    ['/dev/null:/dev/x:rw:y', 'bad format for path: /dev/null:/dev/x:rw:y'],
    ['/dev/null:/dev/x:foo', 'bad mode specified: foo'],
    ['/dev/null:/dev/x:rr', 'bad mode specified: rr'],
    ['null', 'null is not an absolute path'],
    ['/dev/null:rr', 'rr is not an absolute path'],
    ['/dev/null:', ' is not an absolute path'],
    [
      'vendor.com/class=dev',
      'could not select device driver "cdi" with capabilities: [[vendor.com/class=dev]]',
    ],
  ];
  for (const [text, message] of refusals) refused(t, () => parseDevice(text), message);
});

test('device rules', (t) => {
  t.deepEqual(parseDeviceRule('c 1:3 rwm').rule, {
    allow: true,
    type: 'c',
    major: 1,
    minor: 3,
    access: 'rwm',
  });
  t.deepEqual(parseDeviceRule('b 8:* r').rule, { allow: true, type: 'b', major: 8, access: 'r' });
  t.deepEqual(parseDeviceRule('a *:* rwm').rule, { allow: true, type: 'a', access: 'rwm' });
  for (const text of ['c', 'x 1:3 rwm', 'c 1:3 foo', 'c 1:3', 'c 1 rwm', ' c 1:3 rwm']) {
    refused(
      t,
      () => parseDeviceRule(text),
      `invalid argument "${text}" for "--device-cgroup-rule" flag: invalid device cgroup format '${text}'`,
    );
  }
});

const noFile = (path: string) => {
  throw usage(`open ${path}: no such file or directory`, path);
};
const security = (options: SecurityOptions) => parseSecurity(options, noFile);

test('capabilities by name', (t) => {
  const table: [string[], string[]][] = [
    [
      ['net_admin', 'CAP_SYS_TIME', 'NET_ADMIN'],
      ['CAP_NET_ADMIN', 'CAP_SYS_TIME'],
    ],
    [['chown', 'all'], ['ALL']],
    [[], []],
  ];
  for (const [texts, names] of table) {
    t.deepEqual(security({ capAdd: texts }).capAdd, names);
    t.deepEqual(security({ capDrop: texts }).capDrop, names);
  }
  refused(t, () => security({ capAdd: ['FOO'] }), 'invalid CapAdd: unknown capability: "CAP_FOO"');
  refused(
    t,
    () => security({ capAdd: ['NET_ADMIN,SYS_TIME'] }),
    'invalid CapAdd: unknown capability: "CAP_NET_ADMIN,SYS_TIME"',
  );
  refused(t, () => security({ capDrop: [''] }), 'invalid CapDrop: unknown capability: "CAP_"');
});

test('security options', (t) => {
  const one = (text: string) => security({ securityOpt: [text] });
  for (const text of ['no-new-privileges', 'no-new-privileges=true', 'no-new-privileges:1']) {
    t.true(one(text).noNewPrivileges);
    t.deepEqual(one(text).options, [text]);
  }
  t.false(one('no-new-privileges=false').noNewPrivileges);
  t.is(one('seccomp=unconfined').seccomp, 'unconfined');
  t.is(one('seccomp=builtin').seccomp, 'builtin');
  t.true(one('systempaths=unconfined').systemPathsUnconfined);
  t.deepEqual(one('systempaths=unconfined').options, []);
  t.deepEqual(one('label=disable').options, ['label=disable']);
  t.deepEqual(one('apparmor:unconfined').options, ['apparmor:unconfined']);
  const refusals: [string, string][] = [
    ['foo', 'Invalid --security-opt: "foo"'],
    ['seccomp', 'Invalid --security-opt: "seccomp"'],
    ['seccomp=', 'Invalid --security-opt: "seccomp="'],
    ['foo=bar', 'invalid --security-opt 2: "foo=bar"'],
    ['no-new-privileges=foo', 'invalid --security-opt 2: "no-new-privileges=foo"'],
    ['systempaths=foo', 'invalid --security-opt 2: "systempaths=foo"'],
    ['apparmor=mine', '--security-opt apparmor=mine is not supported'],
    ['label=type:x', '--security-opt label=type:x is not supported'],
    [
      'seccomp=nosuch.json',
      'opening seccomp profile (nosuch.json) failed: open nosuch.json: no such file or directory',
    ],
  ];
  for (const [text, message] of refusals) refused(t, () => one(text), message);
});

test('a seccomp profile of the user', (t) => {
  const parse = (text: string) => parseSecurity({ securityOpt: ['seccomp=p.json'] }, () => Buffer.from(text));
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
    syscalls: [
      { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW', args: null, includes: { caps: ['CAP_BPF'] } },
      { name: 'clone', action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] },
    ],
  };
  const { seccomp, options } = parse(JSON.stringify(profile, null, 2));
  t.deepEqual(options, [`seccomp=${JSON.stringify(profile)}`]);
  t.like(seccomp, { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1 });
  if (typeof seccomp !== 'object') return t.fail('not a profile');
  t.deepEqual(
    seccomp.rules.map(({ names }) => names),
    [['read', 'write'], ['clone']],
  );
  t.throws(() => parse('{bad'), { message: /^compacting json for seccomp profile \(p\.json\) failed: / });
  const refusals: [unknown, string][] = [
    [[], 'the profile is not an object'],
    [{}, 'action is not a string'],
    [{ defaultAction: 'ALLOW' }, 'unknown action ALLOW'],
    [
      { ...profile, architectures: ['SCMP_ARCH_X86'] },
      "both 'architectures' and 'archMap' are specified, use either",
    ],
    [{ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: 'read' }] }, 'names is not a list'],
    [
      { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ name: 'a', names: ['b'], action: 'SCMP_ACT_ALLOW' }] },
      "use either 'name' or 'names'",
    ],
  ];
  for (const [value, reason] of refusals) {
    refused(t, () => parse(JSON.stringify(value)), `decoding seccomp profile failed: ${reason}`);
  }
});
