import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { DEFAULT_KEYS, detachKeys, parseDetachKeys } from '../../cli/detach-keys.js';
import { DetachKeys, proxiedSignals, RawTerminal } from '../../cli/terminal.js';

const bytes = (...list: number[]) => Uint8Array.from(list);
const [P, Q] = [0x10, 0x11];

test('a lone ctrl-p is held back and given out when ctrl-q does not follow', (t) => {
  const keys = new DetachKeys(DEFAULT_KEYS);
  t.deepEqual(keys.feed(bytes(97, P)), { bytes: bytes(97), detach: false });
  t.deepEqual(keys.feed(bytes(98)), { bytes: bytes(P, 98), detach: false });
});

test('ctrl-p ctrl-q detaches, in one chunk or two, and sends neither', (t) => {
  t.deepEqual(new DetachKeys(DEFAULT_KEYS).feed(bytes(97, P, Q, 98)), { bytes: bytes(97), detach: true });
  const keys = new DetachKeys(DEFAULT_KEYS);
  keys.feed(bytes(P));
  t.deepEqual(keys.feed(bytes(Q)), { bytes: bytes(), detach: true });
});

test('ctrl-p ctrl-p ctrl-q gives the first ctrl-p and detaches', (t) => {
  t.deepEqual(new DetachKeys(DEFAULT_KEYS).feed(bytes(P, P, Q)), { bytes: bytes(P), detach: true });
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

test('detach keys are read as Docker reads them', (t) => {
  t.deepEqual(parseDetachKeys('ctrl-a,b,ctrl-],ctrl-@,DEL'), [1, 98, 29, 0, 127]);
  for (const text of ['foo', 'ctrl-', 'ctrl-A', 'a,,b', 'é', 'ctrl-aa'])
    t.throws(() => parseDetachKeys(text), { message: `tsrun: Invalid escape keys (${text}) provided` });
});

test('the flag wins over config.json, and that over the default', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-keys-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const env = { DOCKER_CONFIG: dir };
  t.deepEqual(detachKeys({ env }, undefined), DEFAULT_KEYS);
  writeFileSync(join(dir, 'config.json'), '{"detachKeys":"ctrl-x,y"}');
  t.deepEqual(detachKeys({ env }, undefined), [24, 121]);
  t.deepEqual(detachKeys({ env }, 'z'), [122]);
  writeFileSync(join(dir, 'config.json'), '{"detachKeys":');
  t.deepEqual(detachKeys({ env }, undefined), DEFAULT_KEYS);
});
