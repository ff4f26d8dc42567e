/** Filters that ask somebody: the listener arrives with the state, whatever calls it is asked about. Needs root. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { type Documents, directory, removeWork, runContainer } from './container.js';

test.after.always(removeWork);

const here = dirname(fileURLToPath(import.meta.url));

type Profile = NonNullable<Documents['spec']['linux']['seccomp']> & {
  listenerPath?: string;
  listenerMetadata?: string;
};

async function run(t: ExecutionContext, names: string[], script: string, nnp: boolean, flags: string[] = []) {
  const socket = join(directory('agent'), 'socket');
  const agent = spawn('python3', [join(here, 'seccomp_agent.py'), socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => agent.kill('SIGKILL'));
  await once(agent.stdout, 'data');
  const said = text(agent.stdout);
  const profile: Profile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    flags,
    listenerPath: socket,
    listenerMetadata: 'opaque',
    syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }],
  };
  const result = await runContainer({
    command: ['sh', '-c', script],
    change: ({ spec }) => {
      spec.linux.seccomp = profile;
      spec.process.noNewPrivileges = nnp;
    },
  });
  const [state = '', calls = ''] = (await said).trim().split('\n');
  return { result, state: JSON.parse(state), calls: JSON.parse(calls) as number[] };
}

test('an agent decides about a call; the state tells it whose', async (t) => {
  const { result, state, calls } = await run(t, ['mkdir', 'mkdirat'], 'mkdir /tmp/x; echo $?', false, [
    'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV',
    'SECCOMP_FILTER_FLAG_LOG',
    'SECCOMP_FILTER_FLAG_TSYNC',
  ]);
  t.is(result.failure, undefined);
  t.is(result.stdout, '1\n');
  t.regex(result.stderr, /mkdir: .*Operation not supported/);
  t.deepEqual(calls, [83]);
  const { pid, fds, metadata, ociVersion, state: container } = state;
  t.deepEqual([fds, metadata], [['seccompFd'], 'opaque']);
  t.regex(ociVersion, /^1\./);
  t.true(pid > 1);
  t.like(container, { status: 'creating', pid, bundle: result.dir, ociVersion });
});

test('also about those that the start itself is made of, loaded first or last', async (t) => {
  const names = ['read', 'close', 'capset', 'setresuid', 'prctl', 'execve', 'fchdir', 'ppoll'];
  for (const nnp of [false, true]) {
    const { result, calls } = await run(t, names, 'echo on', nnp);
    t.deepEqual([result.failure, result.stdout], [undefined, 'on\n']);
    t.true(calls.includes(0) && calls.includes(59));
    t.is(calls.includes(126), !nnp, 'capset comes after the filter only without no_new_privs');
  }
});

test('what cannot be is refused before anything starts', async (t) => {
  const notify = [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }];
  const cases: [Partial<Profile>, RegExp][] = [
    [{ syscalls: notify }, /listenerPath .*is missing/],
    [{ listenerMetadata: 'x' }, /listenerMetadata .*needs a listenerPath/],
    [{ flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] }, /WAIT_KILLABLE_RECV needs/],
    [{ flags: ['SECCOMP_FILTER_FLAG_X'] }, /unsupported flag/],
    [{ architectures: ['SCMP_ARCH_Z80'] }, /unsupported architecture/],
    [{ syscalls: notify, listenerPath: join(directory('none'), 'socket') }, /socket$|socket undefined/],
  ];
  for (const [profile, pattern] of cases) {
    const { failure } = await runContainer({
      command: ['true'],
      change: ({ spec }) => {
        spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', ...profile };
      },
    });
    t.is(failure?.step, 'process.seccomp');
    t.regex(`${failure?.subject} ${failure?.detail}`, pattern);
  }
  const foreign = await runContainer({
    command: ['echo', 'ran'],
    change: ({ spec }) => {
      spec.linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        architectures: ['SCMP_ARCH_S390X', 'SCMP_ARCH_X86_64'],
      };
    },
  });
  t.is(foreign.stdout, 'ran\n');
});
