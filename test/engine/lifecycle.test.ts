import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { allOf, names, run, withEngine } from './harness.js';

const SIGTERM = 15;
const SIGKILL = 9;

test.serial('output by stream, exit code, and what is left of the container', async (t) => {
  await withEngine(async ({ engine, root }) => {
    const result = await run(engine, {
      name: 'talker',
      command: ['sh', '-c', 'echo out; echo err >&2; exit 3'],
    });
    t.is(result.stdout, 'out\n');
    t.is(result.stderr, 'err\n');
    t.is(result.code, 3);
    t.is(await engine.wait('talker'), 3);
    const [row] = await engine.ps({ all: true });
    t.is(row?.state, 'exited');
    t.regex(row?.status ?? '', /^Exited \(3\) /);
    t.is(row?.command, "sh -c 'echo out; echo err >&2; exit 3'");
    t.deepEqual(await engine.ps(), []);
    const seen = await engine.inspectContainer('talker');
    t.is(seen.State.ExitCode, 3);
    t.false(seen.State.Running);
    t.is(seen.Path, 'sh');
    t.deepEqual(await engine.inspectContainer(result.id.slice(0, 12)), seen);
    await engine.remove('talker');
    t.deepEqual(names(root, 'containers'), []);
    t.deepEqual(names(root, 'names'), []);
    t.deepEqual(names(root, 'trash'), []);
    await t.throwsAsync(engine.inspectContainer('talker'), {
      code: 'NOT_FOUND',
      message: 'No such container: talker',
    });
  });
});

test.serial('stdin reaches the process, and so does its end', async (t) => {
  await withEngine(async ({ engine }) => {
    const { id } = await engine.create({
      image: 'busybox',
      network: 'none',
      interactive: true,
      command: ['sha256sum'],
    });
    const attachment = await engine.start(id, { attach: { stdin: true, stdout: true, stderr: true } });
    const data = Buffer.alloc(1_000_000, 'abc');
    attachment?.stdin.end(data);
    const { createHash } = await import('node:crypto');
    t.is(await allOf(attachment?.stdout), `${createHash('sha256').update(data).digest('hex')}  -\n`);
    t.is(await attachment?.exit, 0);
  });
});

test.serial(
  'a running container: seen, signalled, refused to rm, started twice, attached later',
  async (t) => {
    await withEngine(async ({ engine }) => {
      const script = 'trap "echo bye; exit 7" TERM; echo ready; while :; do sleep 0.1; done';
      const { id } = await engine.create({
        image: 'busybox',
        network: 'none',
        name: 'worker',
        command: ['sh', '-c', script],
      });
      t.is((await engine.ps({ all: true }))[0]?.status, 'Created');
      await t.throwsAsync(engine.signal('worker', SIGTERM), {
        code: 'NOT_RUNNING',
        message: /is not running/,
      });
      const first = await engine.start('worker', { attach: { stdout: true } });
      for await (const chunk of first?.stdout ?? []) if (String(chunk).includes('ready')) break;
      t.is(await engine.start('worker'), undefined);
      const seen = await engine.inspectContainer('worker');
      t.true(seen.State.Running);
      t.true(existsSync(`/proc/${seen.State.Pid}`));
      t.regex((await engine.ps())[0]?.status ?? '', /^Up /);
      await t.throwsAsync(engine.remove('worker'), {
        code: 'IN_USE',
        message: `You cannot remove a running container ${id}. Stop the container before attempting removal or force remove`,
      });
      const second = await engine.start('worker', { attach: { stdout: true } });
      const waiting = engine.wait('worker');
      await engine.signal('worker', SIGTERM);
      t.is(await allOf(second?.stdout), 'bye\n');
      t.is(await second?.exit, 7);
      t.is(await waiting, 7);
    });
  },
);

test.serial('a container starts again and keeps what it wrote', async (t) => {
  await withEngine(async ({ engine }) => {
    const { id } = await run(engine, {
      command: ['sh', '-c', 'echo x >> /file; wc -l < /file; cat /etc/hostname'],
    });
    const again = await engine.start(id, { attach: { stdout: true } });
    t.is(await allOf(again?.stdout), `2\n${id.slice(0, 12)}\n`);
    t.is(await again?.exit, 0);
    const changes = await engine.diff(id);
    t.deepEqual(
      changes.map(({ kind, path }) => `${kind} ${Buffer.from(path)}`),
      ['A /file'],
    );
  });
});

test.serial('rm -f ends a running container; --rm removes itself, anonymous volumes too', async (t) => {
  await withEngine(async ({ engine, root }) => {
    const { id } = await engine.create({
      image: 'busybox',
      network: 'none',
      volume: ['/data'],
      command: ['sleep', '1000'],
    });
    await engine.start(id);
    t.is(names(root, 'volumes').length, 1);
    await engine.remove(id, { force: true });
    t.is(names(root, 'volumes').length, 1, 'plain rm leaves anonymous volumes');
    const gone = await run(engine, { rm: true, volume: ['/data'], command: ['true'] });
    t.is(gone.code, 0);
    t.deepEqual(names(root, 'containers'), []);
    t.deepEqual(names(root, 'names'), []);
    t.is(names(root, 'volumes').length, 1);
    const kept = await engine.create({ image: 'busybox', network: 'none', volume: ['/data'] });
    await engine.remove(kept.id, { volumes: true });
    t.is(names(root, 'volumes').length, 1);
  });
});

test.serial('volumes: named ones are filled from the image and shared, binds show the host', async (t) => {
  await withEngine(async ({ engine, root }) => {
    const source = join(root, '..', 'bound', 'deep');
    const created = await engine.create({
      image: 'busybox',
      network: 'none',
      volume: ['vol:/var/www', `${source}:/host:ro`],
      command: ['sh', '-c', 'echo 1 > /var/www/f; touch /host/x'],
    });
    t.true(created.warnings.some((warning) => warning.includes(source)));
    await engine.start(created.id);
    t.is(await engine.wait(created.id), 1, 'the bind is read-only');
    t.is(readFileSync(join(root, 'volumes', 'vol', '_data', 'f'), 'utf8'), '1\n');
    const other = await run(engine, { volume: ['vol:/mnt'], command: ['cat', '/mnt/f'] });
    t.is(other.stdout, '1\n');
    const { Mounts } = await engine.inspectContainer(created.id);
    t.deepEqual(
      Mounts.map(({ Type, Name, Destination, RW }) => ({ Type, Name, Destination, RW })),
      [
        { Type: 'bind', Name: undefined, Destination: '/host', RW: false },
        { Type: 'volume', Name: 'vol', Destination: '/var/www', RW: true },
      ],
    );
  });
});

test.serial('failed starts: the code, the words, and a container that reads Created', async (t) => {
  await withEngine(async ({ engine }) => {
    const cases = [
      {
        options: { command: ['nosuch'] },
        code: 'COMMAND_NOT_FOUND',
        words: /exec: "nosuch": executable file not found in \$PATH/,
      },
      {
        options: { command: ['/nosuch'] },
        code: 'COMMAND_NOT_FOUND',
        words: /stat \/nosuch: no such file or directory/,
      },
      {
        options: { command: ['/etc'] },
        code: 'COMMAND_NOT_EXECUTABLE',
        words: /is a directory|permission denied/,
      },
      { options: { command: ['/etc/passwd'] }, code: 'COMMAND_NOT_EXECUTABLE', words: /permission denied/ },
      {
        options: { command: ['true'], user: 'bob' },
        code: 'UNKNOWN_USER',
        words: /unable to find user bob: no matching entries in passwd file/,
      },
      {
        options: { command: ['true'], user: '0:staffx' },
        code: 'UNKNOWN_USER',
        words: /unable to find group staffx: no matching entries in group file/,
      },
      {
        options: { command: ['true'], groupAdd: ['4294967296'] },
        code: 'UNKNOWN_USER',
        words: /^[^"]*uids and gids must be in range 0-2147483647$/,
      },
      {
        options: { command: ['true'], workdir: '/etc/passwd' },
        code: 'HELPER',
        words: /Cannot mkdir: \/etc\/passwd is not a directory/,
      },
      {
        options: { command: ['true'], volume: ['/etc/passwd:/etc'] },
        code: 'HELPER',
        words: /not a directory/i,
      },
    ] as const;
    for (const { options, code, words } of cases) {
      const { id } = await engine.create({
        image: 'busybox',
        network: 'none',
        ...(structuredClone(options) as object),
      });
      await t.throwsAsync(engine.start(id, { attach: { stdout: true } }), { code, message: words });
      const [row] = await engine.ps({ all: true });
      t.is(row?.state, 'created', String(words));
      t.regex((await engine.inspectContainer(id)).State.Error, words);
      await engine.remove(id);
    }
    const rm = await engine.create({ image: 'busybox', network: 'none', rm: true, command: ['nosuch'] });
    await t.throwsAsync(engine.start(rm.id), { code: 'COMMAND_NOT_FOUND' });
    t.deepEqual(await engine.ps({ all: true }), []);
  });
});

test.serial('logs: both streams in order, the tail, and a follower that gets the last bytes', async (t) => {
  await withEngine(async ({ engine }) => {
    const script = 'for i in 1 2 3; do echo $i; done; echo no newline >&2; printf last';
    const { id } = await engine.create({ image: 'busybox', network: 'none', command: ['sh', '-c', script] });
    await engine.start(id);
    const collect = async (options = {}): Promise<string[]> => {
      const lines: string[] = [];
      for await (const { line } of engine.logs(id, options)) lines.push(Buffer.from(line).toString());
      return lines;
    };
    const followed = await collect({ follow: true });
    t.deepEqual([...followed].sort(), ['1\n', '2\n', '3\n', 'last', 'no newline\n']);
    t.deepEqual(await collect(), followed);
    t.deepEqual(await collect({ tail: 2 }), followed.slice(-2));
    t.deepEqual(await collect({ until: new Date(0) }), []);
    t.deepEqual(await collect({ since: new Date(Date.now() + 1000) }), []);
  });
});

test.serial('a follower of a container that goes on is ended by its signal', async (t) => {
  await withEngine(async ({ engine }) => {
    const { id } = await engine.create({
      image: 'busybox',
      network: 'none',
      command: ['sh', '-c', 'echo hi; sleep 1000'],
    });
    await engine.start(id);
    const controller = new AbortController();
    const lines: string[] = [];
    for await (const { line } of engine.logs(id, { follow: true, signal: controller.signal })) {
      lines.push(Buffer.from(line).toString());
      controller.abort();
    }
    t.deepEqual(lines, ['hi\n']);
    await engine.signal(id, SIGKILL);
    t.is(await engine.wait(id), 137);
  });
});

test.serial(
  'a terminal: its size is there before the program, resizes arrive, stderr is on stdout',
  async (t) => {
    await withEngine(async ({ engine }) => {
      const { id } = await engine.create({
        image: 'busybox',
        network: 'none',
        tty: true,
        interactive: true,
        consoleSize: { rows: 33, cols: 101 },
        command: [
          'sh',
          '-c',
          'trap "stty size; exit 5" WINCH; stty size; echo err >&2; while :; do sleep 0.05; done',
        ],
      });
      const attachment = await engine.start(id, { attach: { stdin: true, stdout: true, stderr: true } });
      let output = '';
      for await (const chunk of attachment?.stdout ?? []) {
        output += String(chunk);
        if (output.endsWith('err\r\n')) attachment?.resize({ rows: 44, cols: 55 });
      }
      t.is(output, '33 101\r\nerr\r\n44 55\r\n');
      t.is(await attachment?.exit, 5);
      const again = await engine.start(id, { attach: { stdout: true }, consoleSize: { rows: 7, cols: 8 } });
      for await (const chunk of again?.stdout ?? []) {
        t.is(String(chunk).split('\r\n')[0], '7 8');
        break;
      }
    });
  },
);
