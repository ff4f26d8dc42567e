import test from 'ava';
import { helperDied, startFailure } from '../../src/engine/start-failure.js';
import { exitCodeOf } from '../../src/errors.js';

const ENOENT = 2;
const EACCES = 13;
const ENOTDIR = 20;
const EISDIR = 21;

test('a missing command is a 127, in the words that scripts look for', (t) => {
  const error = startFailure({ step: 'exec', errno: ENOENT, subject: 'nosuch' });
  t.is(exitCodeOf(error, true), 127);
  t.regex(error.message, /exec: "nosuch": executable file not found in \$PATH/);
  const path = startFailure({ step: 'exec', errno: ENOENT, subject: '/x' });
  t.is(exitCodeOf(path, true), 127);
  t.regex(path.message, /exec: "\/x": stat \/x: no such file or directory/);
});

test('a command that cannot be executed is a 126', (t) => {
  const denied = startFailure({ step: 'exec', errno: EACCES, subject: '/etc' });
  t.is(exitCodeOf(denied, true), 126);
  t.regex(denied.message, /exec: "\/etc": permission denied/);
  t.regex(
    startFailure({ step: 'exec', errno: EISDIR, subject: '/etc' }).message,
    /exec: "\/etc": is a directory/,
  );
});

test('an unknown user, a working directory that is a file', (t) => {
  const user = startFailure({ step: 'process.user', errno: 0, subject: 'bob' });
  t.is(user.code, 'UNKNOWN_USER');
  t.regex(user.message, /unable to find user bob: no matching entries in passwd file/);
  t.is(exitCodeOf(user, true), 125);
  const cwd = startFailure({ step: 'process.cwd', errno: ENOTDIR, subject: '/etc/passwd' });
  t.regex(cwd.message, /Cannot mkdir: \/etc\/passwd is not a directory/);
  t.is(exitCodeOf(cwd, true), 125);
});

test('a missing nft is the machine’s lack, with what to do', (t) => {
  const error = startFailure({ step: 'network.nat', errno: ENOENT, subject: 'nft' });
  t.is(error.code, 'HOST');
  t.regex(error.hint ?? '', /nftables.*--network none/);
});

test('any other step names step, subject and errno', (t) => {
  const error = startFailure({ step: 'cgroup.create', errno: 28, subject: '/sys/fs/cgroup/x' });
  t.is(error.step, 'cgroup.create');
  t.is(error.errno, 'ENOSPC');
  t.is(error.subject, '/sys/fs/cgroup/x');
  t.regex(error.message, /cgroup\.create.*\/sys\/fs\/cgroup\/x.*no space left on device/);
});

test('a helper that died says where', (t) => {
  t.regex(helperDied('mounts.overlay').message, /died in step mounts\.overlay/);
  t.regex(helperDied('').message, /before its first step/);
});
