import test from 'ava';
import { DetachKeys, proxiedSignals, RawTerminal } from '../../cli/terminal.js';

const bytes = (...list: number[]) => Uint8Array.from(list);
const [P, Q] = [0x10, 0x11];

test('a lone ctrl-p is held back and given out when ctrl-q does not follow', (t) => {
  const keys = new DetachKeys();
  t.deepEqual(keys.feed(bytes(97, P)), { bytes: bytes(97), detach: false });
  t.deepEqual(keys.feed(bytes(98)), { bytes: bytes(P, 98), detach: false });
});

test('ctrl-p ctrl-q detaches, in one chunk or two, and sends neither', (t) => {
  t.deepEqual(new DetachKeys().feed(bytes(97, P, Q, 98)), { bytes: bytes(97), detach: true });
  const keys = new DetachKeys();
  keys.feed(bytes(P));
  t.deepEqual(keys.feed(bytes(Q)), { bytes: bytes(), detach: true });
});

test('ctrl-p ctrl-p ctrl-q gives the first ctrl-p and detaches', (t) => {
  t.deepEqual(new DetachKeys().feed(bytes(P, P, Q)), { bytes: bytes(P), detach: true });
});

test("signals that are the client's own are not passed on", (t) => {
  const names = proxiedSignals().map(([name]) => name as string);
  for (const own of ['SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGPIPE', 'SIGURG', 'SIGWINCH'])
    t.false(names.includes(own), own);
  for (const passed of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGTSTP'])
    t.true(names.includes(passed), passed);
});

test('a terminal is restored once, with what it was', (t) => {
  const saved = bytes(1, 2, 3);
  const restored: Uint8Array[] = [];
  const control = {
    makeRaw: () => saved,
    restoreTerminal: (_fd: number, settings: Uint8Array) => {
      restored.push(settings);
    },
    windowSize: () => ({ rows: 1, cols: 1 }),
    exitNow: () => process.exit(),
  };
  const before = process.listenerCount('exit');
  const raw = new RawTerminal(control, 0);
  raw.enter();
  t.is(process.listenerCount('exit'), before + 1);
  raw.leave();
  raw.leave();
  t.deepEqual(restored, [saved]);
  t.is(process.listenerCount('exit'), before);
});
