import { PassThrough } from 'node:stream';
import test from 'ava';
import { historyFields } from '../../cli/commands/history.js';
import { imageRows } from '../../cli/commands/images.js';
import { findCommand } from '../../cli/commands/table.js';
import type { Io } from '../../cli/context.js';
import type { Attachment, Engine, ImageSummary, RunOptions } from '../../src/types/engine.js';
import type { ContainerId, ImageId } from '../../src/types/ids.js';

// ava loads this file as CommonJS, verbs load as modules: one instance of each class needs one way of loading.
const loadMain = () => import('../../cli/main.js');
const loadErrors = () => import('../../src/errors.js');

/** Runs a command line against an engine of which only `parts` exist. */
async function run(argv: string[], parts: Partial<Engine> = {}, io: Partial<Io> = {}) {
  const result = { code: 0, out: '', err: '' };
  const bytes = { 1: 'out', 2: 'err' } as const;
  const edges: Io = {
    env: {},
    out: (text) => {
      result.out += Buffer.from(text as string).toString();
    },
    err: (text) => {
      result.err += text;
    },
    sink: (fd) => ({
      write: async (chunk) => {
        result[bytes[fd]] += Buffer.from(chunk).toString();
      },
    }),
    isTty: () => false,
    columns: () => undefined,
    ...io,
  };
  const { main } = await loadMain();
  result.code = await main(argv, edges, async () => parts as Engine);
  return result;
}

const ID = '0123456789ab'.padEnd(64, 'c') as ContainerId;
async function fail(
  ...args: ConstructorParameters<typeof import('../../src/errors.js').TsrunError>
): Promise<never> {
  const { TsrunError } = await loadErrors();
  throw new TsrunError(...args);
}
const missing = (name: string) => fail('NOT_FOUND', `No such container: ${name}`, { subject: name });

test('--version, no arguments and --help answer on stdout with 0', async (t) => {
  t.regex((await run(['--version'])).out, /^tsrun version \d+\.\d+\.\d+\n$/);
  for (const argv of [[], ['--help'], ['help'], ['container'], ['image', '--help']]) {
    const { code, out, err } = await run(argv);
    t.deepEqual([code, err], [0, '']);
    t.regex(out, /^Usage: {2}tsrun /);
  }
});

test('every verb has help with usage and description, and --help wins over bad arguments', async (t) => {
  for (const argv of [
    ['run', '--help'],
    ['ps', '-a', '--help', 'x'],
    ['help', 'rmi'],
    ['image', 'rm', '--help'],
  ]) {
    const { code, out } = await run(argv);
    t.is(code, 0);
    t.regex(out, /^Usage: {2}tsrun .*\n\n\S.*\n/);
  }
  const { out } = await run(['image', 'ls', '--help']);
  t.true(
    out.startsWith(
      'Usage:  tsrun image ls [OPTIONS] [REPOSITORY[:TAG]]\n\nList images\n\nAliases:\n  tsrun image ls, ',
    ),
  );
});

test('verbs are found by their name, aliases and management form', (t) => {
  t.is(findCommand(['container', 'ls', '-a'])?.name, 'container ls');
  t.deepEqual(findCommand(['container', 'ls', '-a'])?.rest, ['-a']);
  t.is(findCommand(['ps'])?.entry, findCommand(['container', 'list'])?.entry);
  t.not(findCommand(['container', 'inspect'])?.entry, findCommand(['inspect'])?.entry);
  t.is(findCommand(['toString']), undefined);
});

test('unknown verbs exit 1 and unknown flags 125, with where to look', async (t) => {
  t.deepEqual(await run(['nosuch']), {
    code: 1,
    out: '',
    err: "tsrun: unknown command: tsrun nosuch\n\nRun 'tsrun --help' for more information\n",
  });
  t.regex((await run(['imgaes'])).err, /Did you mean: images\?/);
  const bad = await run(['run', '--bad', 'x']);
  t.is(bad.code, 125);
  t.is(
    bad.err,
    "unknown flag: --bad\n\nUsage:  tsrun run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'tsrun run --help' for more information\n",
  );
});

test('too few or too many arguments exit 1', async (t) => {
  const first = async (...argv: string[]) => {
    const { code, err } = await run(argv);
    t.is(code, 1);
    return err.split('\n', 1)[0];
  };
  t.is(await first('run'), "tsrun: 'tsrun run' requires at least 1 argument");
  t.is(await first('tag', 'a'), "tsrun: 'tsrun tag' requires 2 arguments");
  t.is(await first('ps', 'x'), "tsrun: 'tsrun ps' accepts no arguments");
  t.is(await first('images', 'a', 'b'), "tsrun: 'tsrun images' requires at most 1 argument");
  t.is(
    await first('commit', 'a', 'b', 'c'),
    "tsrun: 'tsrun commit' requires at least 1 and at most 2 arguments",
  );
});

test('several targets: successes in order, errors at the end, exit 1', async (t) => {
  const remove = async (name: string) => {
    if (name === 'nosuch') await missing(name);
  };
  t.deepEqual(await run(['rm', 'a', 'nosuch', 'b'], { remove }), {
    code: 1,
    out: 'a\nb\n',
    err: 'tsrun: No such container: nosuch\n',
  });
  const forced = await run(['rm', '-f', 'nosuch'], { remove });
  t.deepEqual([forced.code, forced.err], [0, 'tsrun: No such container: nosuch\n']);
});

test('inspect prints what it found, then the error', async (t) => {
  const engine: Partial<Engine> = {
    inspectContainer: missing,
    volumes: { inspect: missing } as never,
    inspectImage: async (name) => {
      if (name !== 'img') await fail('NOT_FOUND', `No such image: ${name}`);
      return { Id: 'sha256:1', Config: { Labels: { b: '1', a: '2' } } } as never;
    },
  };
  t.deepEqual(await run(['inspect', 'x'], engine), {
    code: 1,
    out: '[]\n',
    err: 'tsrun: No such object: x\n',
  });
  const both = await run(['inspect', 'img', 'x'], engine);
  t.is(both.code, 1);
  t.deepEqual(both.out.split('\n').slice(0, 3), ['[', '    {', '        "Id": "sha256:1",']);
  t.is((await run(['inspect', '-f', '{{json .Config.Labels}}', 'img'], engine)).out, '{"a":"2","b":"1"}\n');
  const wrong = await run(['inspect', '-f', '{{.Nope}}', 'img'], engine);
  t.regex(wrong.err, /map has no entry for key "Nope"/);
  t.is((await run(['inspect', '-f', '{{', 'img'], engine)).code, 64);
});

function attachment(code: number, stdout: string, stderr: string): Attachment {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough(), stdin: new PassThrough() };
  streams.stdout.end(stdout);
  streams.stderr.end(stderr);
  return { ...streams, resize() {}, signal: async () => {}, exit: Promise.resolve(code), detach() {} };
}

test('run writes all output of both streams and exits with the code', async (t) => {
  const asked: RunOptions[] = [];
  const engine: Partial<Engine> = {
    create: async (options) => {
      asked.push(options);
      return { id: ID, warnings: ['careful'] };
    },
    start: async () => attachment(42, 'out', 'err'),
  };
  const result = await run(['run', '--rm', '-e', 'A=1', '-u', '', 'busybox', 'sh', '-c', 'x'], engine);
  t.deepEqual(result, { code: 42, out: 'out', err: 'WARNING: careful\nerr' });
  const { image, command, rm, env, user, detach } = asked[0] as RunOptions;
  t.deepEqual(
    { image, command, rm, env, user, detach },
    { image: 'busybox', command: ['sh', '-c', 'x'], rm: true, env: ['A=1'], user: undefined, detach: false },
  );
});

test('run -d prints the id before the start that fails', async (t) => {
  const engine: Partial<Engine> = {
    create: async () => ({ id: ID, warnings: [] }),
    start: () =>
      fail('COMMAND_NOT_FOUND', 'exec: "nosuch": executable file not found in $PATH', {
        step: 'exec',
      }),
  };
  const { code, out, err } = await run(['run', '-d', 'busybox', 'nosuch'], engine);
  t.deepEqual([code, out], [127, `${ID}\n`]);
  t.is(
    err,
    'tsrun: exec: "nosuch": executable file not found in $PATH\n  step: exec\n\nRun \'tsrun run --help\' for more information\n',
  );
});

test('run -it without a terminal is refused before anything is made', async (t) => {
  t.deepEqual(await run(['run', '-it', 'busybox']), {
    code: 1,
    out: '',
    err: 'the input device is not a TTY\n',
  });
});

test('an image that is missing is announced on stderr, with the pull', async (t) => {
  const reference = 'docker.io/library/redis:latest';
  const engine: Partial<Engine> = {
    create: async ({ onPull }) => {
      onPull?.({
        kind: 'resolving',
        reference,
        tag: 'latest',
        repository: 'library/redis',
        defaultTag: true,
      });
      onPull?.({ kind: 'found', tag: 'latest', repository: 'library/redis' });
      return { id: ID, warnings: [] };
    },
  };
  const { out, err } = await run(['create', 'redis'], engine);
  t.is(out, `${ID}\n`);
  t.is(err, "Unable to find image 'redis:latest' locally\nlatest: Pulling from library/redis\n");
  t.is((await run(['create', '-q', 'redis'], engine)).err, "Unable to find image 'redis:latest' locally\n");
});

test('logs go to their own streams, with times on request', async (t) => {
  const line = (stream: 'stdout' | 'stderr', text: string) => ({
    stream,
    time: '2026-11-24T00:00:00.000000001Z',
    line: Buffer.from(text),
  });
  const engine: Partial<Engine> = {
    async *logs() {
      yield line('stdout', 'a\n');
      yield line('stderr', 'b\n');
      yield line('stdout', 'tail');
    },
  };
  t.deepEqual(await run(['logs', 'c'], engine), { code: 0, out: 'a\ntail', err: 'b\n' });
  t.is((await run(['logs', '-t', 'c'], engine)).err, '2026-11-24T00:00:00.000000001Z b\n');
  t.is((await run(['logs', '-n', 'x', 'c'], engine)).code, 1);
});

test('save refuses a terminal', async (t) => {
  const { code, err } = await run(['save', 'x'], {}, { isTty: () => true });
  t.is(code, 1);
  t.regex(err, /cowardly refusing to save to a terminal/);
});

const image = (repoTags: string[], repoDigests: string[]): ImageSummary => ({
  id: `sha256:${'1'.repeat(64)}` as ImageId,
  repoTags,
  repoDigests,
  created: '',
  size: 1,
  labels: {},
  dangling: repoTags.length === 0,
  containers: 0,
});
const columns = (summary: ImageSummary, digests: boolean) =>
  imageRows(summary, digests).map(({ repository, tag, digest }) => [repository, tag, digest]);

test('images: a row per tag, digests beside them, <none> where a name is missing', (t) => {
  const both = image(
    ['localhost:5000/a:1', 'localhost:5000/a:2', 'b:1'],
    ['localhost:5000/a@sha256:x', 'c@sha256:y'],
  );
  t.deepEqual(columns(both, false), [
    ['localhost:5000/a', '1', '<none>'],
    ['localhost:5000/a', '2', '<none>'],
    ['b', '1', '<none>'],
    ['c', '<none>', '<none>'],
  ]);
  t.deepEqual(columns(both, true), [
    ['localhost:5000/a', '1', 'sha256:x'],
    ['localhost:5000/a', '2', 'sha256:x'],
    ['b', '1', '<none>'],
    ['c', '<none>', 'sha256:y'],
  ]);
  t.deepEqual(columns(image([], []), true), [['<none>', '<none>', '<none>']]);
});

test('history cuts the instruction at 45 characters and shows bytes without -H', (t) => {
  const row = { id: `sha256:${'2'.repeat(64)}`, tags: [], size: 1234, created_by: `RUN ${'x'.repeat(60)}` };
  const human = historyFields({ trunc: true, human: true, now: 0 });
  t.is([...(human.CreatedBy?.value(row) ?? '')].length, 45);
  t.deepEqual(
    [human.ID?.value(row), human.Size?.value(row), human.CreatedSince?.value(row)],
    ['222222222222', '1.23kB', 'N/A'],
  );
  t.is(historyFields({ trunc: false, human: false, now: 0 }).Size?.value(row), '1234');
});

test("with --debug the engine's steps are told with their times", async (t) => {
  let err = '';
  const io: Io = {
    env: {},
    out() {},
    err: (text) => {
      err += text;
    },
    sink: () => ({ write: async () => {} }),
    isTty: () => false,
    columns: () => undefined,
  };
  const { main } = await loadMain();
  await main(['--debug', 'ps'], io, async (_globals, onTrace) => {
    onTrace?.({ step: 'image.pull', subject: 'redis', t: 12345, source: 'engine' });
    return { ps: async () => [] } as Partial<Engine> as Engine;
  });
  t.is(err, '    12.345 ms  engine  image.pull  redis\n');
});

test('a cancelled pull exits as SIGINT would, without advice', async (t) => {
  const pull = () => fail('CANCELLED', 'pull canceled', { step: 'image.pull' });
  t.deepEqual(await run(['pull', 'redis'], { pull }), {
    code: 130,
    out: '',
    err: 'tsrun: pull canceled\n  step: image.pull\n',
  });
});
