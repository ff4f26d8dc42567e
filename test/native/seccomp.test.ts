/** The compiler of seccomp profiles: every answer of its programs against the rules read one by one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { defaultSeccomp } from '../../src/plan/seccomp.js';
import type { SpecSeccomp } from '../../src/types/oci.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const work = mkdtempSync(join(tmpdir(), 'tsrun-seccomp-'));
const checker = join(work, 'check');

test.before(() => {
  const sources = [
    'test/native/seccomp_check.cc',
    'native/runtime/seccomp_compile.cc',
    'native/runtime/syscall_names.cc',
  ];
  const flags = ['-std=c++20', '-O1', '-Inative', '-o', checker, ...sources, '-lseccomp'];
  execFileSync('g++', flags, { cwd: root });
});
test.after.always(() => rmSync(work, { recursive: true, force: true }));

function check(profile: SpecSeccomp): { length: number; cases: number; differences: number; shown: string } {
  const lines = [`default ${profile.defaultAction}`];
  for (const name of profile.architectures ?? []) lines.push(`arch ${name}`);
  for (const { names, action, errnoRet = 1, args = [] } of profile.syscalls ?? []) {
    const conditions = args.map((arg) => [arg.index, arg.op, arg.value, arg.valueTwo ?? 0].join(':'));
    lines.push(['rule', action, errnoRet, names.join(), ...conditions].join(' '));
  }
  const { status, stdout, stderr } = spawnSync(checker, { input: lines.join('\n'), encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const [length = 0, cases = 0, differences = -1] = stdout.split(' ').map(Number);
  return { length, cases, differences, shown: stderr };
}

const ARCHITECTURES = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'];

test('the default profile answers as its rules say, on every architecture', (t) => {
  for (const capabilities of [[], ['CAP_SYS_ADMIN', 'CAP_SYS_PTRACE', 'CAP_BPF']]) {
    const profile = defaultSeccomp({ arch: 'amd64', kernel: { major: 6, minor: 18 }, capabilities });
    const { length, cases, differences, shown } = check(profile);
    t.is(differences, 0, shown);
    t.true(cases > 100_000);
    t.true(length < 1000, `${length} instructions`);
  }
});

test('every comparison, alone and together, with values of 32 and of 64 bits', (t) => {
  const ops = ['EQ', 'NE', 'LT', 'LE', 'GT', 'GE', 'MASKED_EQ'].map((op) => `SCMP_CMP_${op}`);
  const names = ['read', 'write', 'open', 'close', 'stat', 'lseek', 'socket'];
  for (const value of [0, 9, 39, 0xffffffff, 0x100000026]) {
    const syscalls = ops.flatMap((op, i) => [
      { names: [names[i] ?? ''], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value, valueTwo: 8, op }] },
      {
        names: [names[(i + 1) % names.length] ?? ''],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 13,
        args: [
          { index: 1, value: 9, op: 'SCMP_CMP_EQ' },
          { index: 0, value, valueTwo: 8, op },
        ],
      },
    ]);
    for (const defaultAction of ['SCMP_ACT_ERRNO', 'SCMP_ACT_ALLOW']) {
      const { differences, shown } = check({ defaultAction, architectures: ARCHITECTURES, syscalls });
      t.is(differences, 0, `${value} ${shown}`);
    }
  }
});

test('architectures that are not listed are killed, x32 among them', (t) => {
  const syscalls = [{ names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' }];
  const { differences, shown } = check({ defaultAction: 'SCMP_ACT_ERRNO', architectures: [], syscalls });
  t.is(differences, 0, shown);
});

test('what is not supported is an error', (t) => {
  const rule = (action: string, op: string) => ({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['read'], action, args: [{ index: 0, value: 1, op }] }],
  });
  t.throws(() => check(rule('SCMP_ACT_ASK', 'SCMP_CMP_EQ')), {
    message: /SCMP_ACT_ASK unsupported action/,
  });
  t.throws(() => check(rule('SCMP_ACT_ALLOW', 'SCMP_CMP_ODD')), { message: /SCMP_CMP_ODD/ });
});
