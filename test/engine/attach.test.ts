import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { encodeFrame, FrameDecoder, MonitorClient } from '../../src/engine/attach.js';
import { loadNative } from '../../src/native/load.js';
import { Frame, MAX_FRAME, Want } from '../../src/native/protocol.js';

const native = loadNative();

/** A client and the monitor's end of its connection, with every frame that arrives there. */
function connected(want = Want.stdout | Want.stderr | Want.stdin) {
  const [fd, peerFd] = native.socketPair();
  const peer = new Socket({ fd: peerFd, readable: true, writable: true, allowHalfOpen: true });
  const decoder = new FrameDecoder();
  const received: { kind: number; payload: Buffer }[] = [];
  const waiting: { kind: number; resolve: (payload: Buffer) => void }[] = [];
  peer.on('data', (chunk: Buffer) =>
    decoder.push(chunk, (kind, payload) => {
      received.push({ kind, payload });
      const at = waiting.findIndex((each) => each.kind === kind);
      if (at >= 0) waiting.splice(at, 1)[0]?.resolve(payload);
    }),
  );
  peer.on('error', () => {});
  const client = new MonitorClient({ fd, want, onLost: async () => 137 });
  const next = (kind: number) => new Promise<Buffer>((resolve) => waiting.push({ kind, resolve }));
  return { client, peer, received, next };
}

function exitFrame(code: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return encodeFrame(Frame.exit, payload);
}

test('frames survive any cut of the byte stream', (t) => {
  const bytes = Buffer.concat([
    encodeFrame(1, Buffer.from('hello')),
    encodeFrame(7, Buffer.alloc(4, 1)),
    encodeFrame(4),
  ]);
  for (let size = 1; size <= bytes.length; size++) {
    const decoder = new FrameDecoder();
    const frames: string[] = [];
    for (let at = 0; at < bytes.length; at += size)
      decoder.push(bytes.subarray(at, at + size), (kind, payload) =>
        frames.push(`${kind}:${payload.toString('hex')}`),
      );
    t.deepEqual(frames, ['1:68656c6c6f', '7:01010101', '4:']);
  }
});

test('a frame longer than the protocol allows is refused', (t) => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(MAX_FRAME + 1, 4);
  t.throws(() => new FrameDecoder().push(head, () => {}), { message: /frame of/ });
});

test('output is split by stream and ends with the exit code', async (t) => {
  const { client, peer, next } = connected();
  const hello = next(Frame.hello);
  peer.write(encodeFrame(Frame.stdout, Buffer.from('out')));
  peer.write(encodeFrame(Frame.stderr, Buffer.from('err')));
  peer.end(exitFrame(3));
  t.is(await text(client.stdout), 'out');
  t.is(await text(client.stderr), 'err');
  t.is(await client.exit, 3);
  t.is((await hello)[0], Want.stdout | Want.stderr | Want.stdin);
});

test('a connection that ends without an exit frame asks what became of the container', async (t) => {
  const { client, peer } = connected();
  peer.end();
  t.is(await client.exit, 137);
});

test('stdin crosses in frames, and its end once', async (t) => {
  const { client, received, next } = connected();
  const ended = next(Frame.stdinEnd);
  const data = Buffer.alloc(300_000, 'x');
  client.stdin.end(data);
  await ended;
  const stdin = received.filter(({ kind }) => kind === Frame.stdin).map(({ payload }) => payload);
  t.true(Buffer.concat(stdin).equals(data));
  t.is(received.filter(({ kind }) => kind === Frame.stdinEnd).length, 1);
  client.detach();
});

test('a reader that is behind stops the socket, and gets every byte in the end', async (t) => {
  const { client, peer } = connected();
  const chunk = Buffer.alloc(64 * 1024, 'y');
  const total = 100;
  let accepted = 0;
  for (let i = 0; i < total; i++) peer.write(encodeFrame(Frame.stdout, chunk), () => accepted++);
  peer.end(exitFrame(0));
  // Another pair's round trip: the loop has turned many times, and what fits in between has gone through.
  const other = connected();
  const resize = other.next(Frame.resize);
  other.client.resize({ rows: 1, cols: 2 });
  await resize;
  other.client.detach();
  t.true(accepted < total);
  let length = 0;
  for await (const part of client.stdout) length += (part as Buffer).length;
  t.is(length, total * chunk.length);
  t.is(await client.exit, 0);
});

test('requests are answered in order, a refusal names the errno', async (t) => {
  const { client, peer, next } = connected(0);
  const asked = next(Frame.signal);
  const first = client.signal(15);
  const second = client.signal(9);
  t.is((await asked)[0], 15);
  const refused = Buffer.alloc(4);
  refused.writeUInt32BE(3);
  peer.write(encodeFrame(Frame.ack, Buffer.alloc(4)));
  peer.write(encodeFrame(Frame.ack, refused));
  await t.notThrowsAsync(first);
  await t.throwsAsync(second, { message: /ESRCH/ });
  client.detach();
});

test('a request to a container that ends is refused, not forgotten', async (t) => {
  const { client, peer, next } = connected(0);
  const asked = next(Frame.signal);
  const request = client.signal(15);
  await asked;
  peer.end(exitFrame(0));
  await t.throwsAsync(request, { message: /ended before/ });
});

test('detach gives up the connection and the exit code', async (t) => {
  const { client } = connected();
  client.detach();
  await t.throwsAsync(client.exit, { code: 'CANCELLED' });
});
