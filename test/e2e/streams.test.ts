/**
 * What goes through a container comes out of it: every byte, in order, to the last one, whoever reads slowly, stops reading,
 * or is killed.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { run, Store, TSRUN } from '../helpers/cli.js';
import { leaksAfterSettling } from '../helpers/leaks.js';

const MIB = 1 << 20;
/** Runs of the short printer; `TSRUN_PRINTER_RUNS=1000 npx ava test/e2e/streams.test.ts` is the long pass. */
const PRINTER_RUNS = Number(process.env.TSRUN_PRINTER_RUNS ?? 100);

let store: Store;
let dir: string;

test.before(() => {
  store = new Store();
  dir = mkdtempSync(join(tmpdir(), 'tsrun-streams-'));
});

test.afterEach.always('nothing is left behind', async (t) => {
  t.deepEqual(await leaksAfterSettling(store.root), []);
});

test.after.always(async () => {
  await store.destroy();
  rmSync(dir, { recursive: true, force: true });
});

/** `tsrun run --network none FLAGS… busybox sh -c SCRIPT`, as arguments. */
function box(flags: string[], script: string): string[] {
  return ['run', '--network', 'none', ...flags, 'busybox', 'sh', '-c', script];
}

function shell(script: string) {
  return run('sh', ['-c', script], { env: { ...store.environment(), TSRUN } });
}

/** The numbers from 1 to `last`, a line each. */
function numbers(last: number): string {
  return Array.from({ length: last }, (_, i) => `${i + 1}\n`).join('');
}

interface Collected {
  stdout: string;
  code: number | null;
}

/** What a command prints from now on, and its end. */
async function collected(child: ChildProcessWithoutNullStreams): Promise<Collected> {
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { stdout, code };
}

async function ended(name: string): Promise<void> {
  await store.ok('wait', name);
}

test.serial('200 MB through `run -i cat` come out byte for byte', async (t) => {
  const block = randomBytes(MIB);
  const file = join(dir, 'big');
  writeFileSync(file, '');
  const expected = createHash('sha256');
  for (let i = 0; i < 200; i++) {
    writeFileSync(file, block, { flag: 'a' });
    expected.update(block);
  }
  const result = await shell(`$TSRUN run --rm -i --network none busybox cat < ${file} | sha256sum`);
  t.is(result.stdout.split(' ')[0], expected.digest('hex'), result.stderr);
  rmSync(file);
});

test.serial('-t=false: stdout and stderr at once, each whole and in order', async (t) => {
  const file = join(dir, 'both');
  writeFileSync(file, randomBytes(20 * MIB));
  const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
  const script = `{ $TSRUN run --rm -i -t=false --network none busybox tee /dev/stderr < ${file} 2>&3 | sha256sum >&2; } 3>&1 | sha256sum`;
  const { stdout, stderr } = await shell(script);
  t.deepEqual(
    [stdout, stderr].map((line) => line.split(' ')[0]),
    [hash, hash],
  );
});

test.serial(`${PRINTER_RUNS} runs of a short printer: not one last line is lost`, async (t) => {
  let started = 0;
  const lost: string[] = [];
  const worker = async () => {
    while (started < PRINTER_RUNS) {
      const i = started++;
      // Every other one ends without a newline.
      const last = i % 2 === 0 ? `last ${i}\n` : `last ${i}`;
      const script = `echo first; echo err ${i} >&2; printf '${last.replace('\n', '\\n')}'`;
      const { code, stdout, stderr } = await store.tsrun(box(['--rm'], script));
      if (code !== 0 || stdout !== `first\n${last}` || stderr !== `err ${i}\n`)
        lost.push(JSON.stringify({ i, code, stdout, stderr }));
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  t.deepEqual(lost, []);
});

test.serial('half-closed stdin: its end reaches the program while the output goes on', async (t) => {
  const args = box(['--rm', '-i'], 'wc -c; echo after');
  t.is((await store.tsrun(args, { input: 'twelve bytes' })).stdout, '12\nafter\n');
});

test.serial(
  'a program that ends while its input still comes: all its output, and its own code',
  async (t) => {
    // Whoever writes to a container that ends just then must not lose what is on its way back.
    const script =
      'yes | $TSRUN run --rm -i --network none busybox sh -c "seq 1 20000; exit 3"; echo "code $?"';
    const lines = `${numbers(20_000)}code 3\n`;
    for (let i = 0; i < 8; i++) {
      const { stdout, stderr } = await shell(script);
      t.is(stdout.length, lines.length, stderr);
      t.is(stdout.slice(-100), lines.slice(-100));
    }
  },
);

test.serial('exec: a command that ends while its input still comes', async (t) => {
  await store.ok('run', '-d', '--name', 'host', '--network', 'none', 'busybox', 'sleep', '1000');
  for (let i = 0; i < 8; i++) {
    const { stdout } = await shell('yes | $TSRUN exec -i host sh -c "seq 1 20000; exit 3"; echo "code $?"');
    t.is(stdout.slice(-13), '20000\ncode 3\n');
  }
  await store.ok('rm', '-f', 'host');
});

test.serial('a program that closes its stdin and goes on', async (t) => {
  const script = 'exec 0<&-; sleep 0.2; echo on; exit 4';
  const result = await store.tsrun(box(['--rm', '-i'], script), { input: randomBytes(8 * MIB) });
  t.deepEqual(result, { code: 4, stdout: 'on\n', stderr: '' });
});

test.serial('a client killed mid-stream does not block the container, and its log is complete', async (t) => {
  const client = store.start(box(['--name', 'killed'], 'seq 1 200000; echo the end'));
  await once(client.stdout, 'data');
  client.stdout.pause();
  client.kill('SIGKILL');
  await once(client, 'exit');
  await ended('killed');
  t.is(await store.ok('logs', 'killed'), `${numbers(200_000)}the end\n`);
  await store.ok('rm', 'killed');
});

test.serial('a client that does not read makes the program wait, and then gets everything', async (t) => {
  const client = store.start(box(['--name', 'slow'], 'seq 1 1000000; echo the end'));
  await once(client.stdout, 'data');
  client.stdout.pause();
  // The program stands still: its log, which has whatever was read from it, stops growing.
  const log = join(store.root, 'containers', (await store.ok('ps', '-q', '--no-trunc')).trim(), 'log');
  const size = () => readFileSync(log).length;
  for (let last = -1, now = size(); now !== last; now = size()) {
    last = now;
    await delay(500);
  }
  t.regex(await store.ok('ps'), / Up .* slow$/m);
  t.notRegex(readFileSync(log, 'utf8'), /the end/);
  client.stdout.resume();
  // What was read before `pause` has gone by; the rest is counted.
  const { stdout, code } = await collected(client);
  t.is(code, 0);
  t.true(`${numbers(1_000_000)}the end\n`.endsWith(stdout));
  t.true(stdout.length > 5 * MIB, `${stdout.length} bytes were still to come`);
  await store.ok('rm', 'slow');
});

test.serial('a client that never reads and is killed frees the program', async (t) => {
  const client = store.start(box(['--name', 'stuck'], 'seq 1 1000000; echo the end'));
  client.stdout.pause();
  const found = async () => / Up .* stuck$/m.test(await store.ok('ps'));
  while (!(await found())) await delay(50);
  client.kill('SIGKILL');
  await ended('stuck');
  t.regex(await store.ok('logs', '-n', '1', 'stuck'), /^the end\n$/);
  await store.ok('rm', 'stuck');
});

test.serial('`run | head -1`: the client goes, says so, and the container runs to its end', async (t) => {
  const command = `$TSRUN run --name headed --network none busybox sh -c 'seq 1 300000; echo the end'`;
  const { stdout, stderr, code } = await shell(`{ ${command}; echo "code $?" >&2; } | head -1`);
  t.is(code, 0);
  t.is(stdout, '1\n');
  t.regex(stderr, /broken pipe/);
  t.regex(stderr, /^code 141$/m);
  await ended('headed');
  t.is(await store.ok('logs', '-n', '1', 'headed'), 'the end\n');
  await store.ok('rm', 'headed');
});

test.serial('`logs | head -1` and `ps | head -1` end without a word', async (t) => {
  await store.ok(...box(['--name', 'long'], 'seq 1 100000'));
  t.like(await shell('$TSRUN logs long | head -1'), { stdout: '1\n', stderr: '' });
  t.like(await shell('$TSRUN logs -f long | head -1'), { stdout: '1\n', stderr: '' });
  t.like(await shell('$TSRUN ps -a | head -0'), { stdout: '', stderr: '' });
  await store.ok('rm', 'long');
});

test.serial('`logs -f`, two at once, end with the container and have its last bytes', async (t) => {
  const script =
    'i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo line $i; sleep 0.02; done; printf unterminated';
  await store.ok(...box(['-d', '--name', 'told'], script));
  const followers = [store.start(['logs', '-f', 'told']), store.start(['logs', '-f', '-t', 'told'])];
  const [plain, timed] = await Promise.all(followers.map(collected));
  const lines = Array.from({ length: 40 }, (_, i) => `line ${i + 1}\n`);
  t.deepEqual(plain, { code: 0, stdout: `${lines.join('')}unterminated` });
  t.is(timed?.stdout.replaceAll(/^\S+ /gm, ''), `${lines.join('')}unterminated`);
  await store.ok('rm', 'told');
});

for (const compress of [false, true]) {
  test.serial(`\`logs -f\` across rotations has every line, once; compress=${compress}`, async (t) => {
    const script =
      'i=0; while [ $i -lt 600 ]; do i=$((i+1)); echo line $i; [ $((i % 40)) -ne 0 ] || sleep 0.1; done';
    const options = ['max-size=4k', 'max-file=20', `compress=${compress}`].flatMap((text) => [
      '--log-opt',
      text,
    ]);
    await store.ok(...box(['-d', '--name', 'rotated', ...options], `${script}; printf unterminated`));
    const { stdout, code } = await collected(store.start(['logs', '-f', 'rotated']));
    t.is(code, 0);
    const lines = [...Array.from({ length: 600 }, (_, i) => `line ${i + 1}`), 'unterminated'];
    t.deepEqual(stdout.split('\n'), lines);
    t.deepEqual((await store.ok('logs', 'rotated')).split('\n'), lines, 'and afterwards');
    t.deepEqual((await store.ok('logs', '-n', '300', 'rotated')).split('\n'), lines.slice(-300));
    await store.ok('rm', 'rotated');
  });
}

test.serial('a killed `logs -f` does not block the container', async (t) => {
  await store.ok(...box(['-d', '--name', 'unheard'], 'seq 1 300000; echo the end'));
  const follower = store.start(['logs', '-f', 'unheard']);
  await once(follower.stdout, 'data');
  follower.stdout.pause();
  follower.kill('SIGKILL');
  await ended('unheard');
  t.is(await store.ok('logs', '-n', '1', 'unheard'), 'the end\n');
  await store.ok('rm', 'unheard');
});

test.serial('`run -d -i` and two `attach` at once: both hear all, both may speak', async (t) => {
  await store.ok(
    ...box(['-d', '-i', '--name', 'shared'], 'while read -r line; do echo "got $line"; done; echo bye'),
  );
  const first = store.start(['attach', 'shared']);
  const second = store.start(['attach', 'shared']);
  const heard = [first, second].map((client) => {
    const buffer = { text: '' };
    client.stdout.setEncoding('utf8').on('data', (text: string) => {
      buffer.text += text;
    });
    return buffer;
  });
  const all = (text: string) => heard.every((buffer) => buffer.text.includes(text));
  const say = (client: ChildProcessWithoutNullStreams, word: string) => {
    client.stdin.write(`${word}\n`);
  };
  // Until both are attached, what is said may be heard by one only.
  while (!all('got hello')) {
    say(first, 'hello');
    await delay(100);
  }
  say(second, 'from the second');
  while (!all('got from the second')) await delay(10);
  say(first, 'from the first');
  while (!all('got from the first')) await delay(10);
  first.stdin.end();
  second.stdin.end();
  await store.ok('stop', '-t', '1', 'shared');
  for (const client of [first, second]) if (client.exitCode === null) await once(client, 'close');
  t.is(first.exitCode, second.exitCode);
  await store.ok('rm', 'shared');
});

test.serial('pipes that are shared with the next command are given back as they were', async (t) => {
  // libuv makes them non-blocking, which would be an EAGAIN in a program that never heard of it.
  const script = `$TSRUN run --rm -i --network none busybox echo hi
    grep ^flags /proc/self/fdinfo/0; grep ^flags /proc/self/fdinfo/1 | cat; grep ^flags /proc/self/fdinfo/2`;
  const { stdout, code } = await collected(
    spawn('sh', ['-c', script], { env: { ...process.env, ...store.environment(), TSRUN } }),
  );
  t.is(code, 0);
  const flags = [...stdout.matchAll(/^flags:\t(\d+)$/gm)].map(([, octal]) => Number.parseInt(octal ?? '', 8));
  t.is(flags.length, 3, stdout);
  t.deepEqual(
    flags.map((bits) => bits & constants.O_NONBLOCK),
    [0, 0, 0],
  );
});
