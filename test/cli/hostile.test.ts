/** security.md T22: what an image, a container or a registry is called reaches no terminal as it is, and no pipe but as data. */
import test from 'ava';
import type { Io } from '../../cli/context.js';
import type { Engine } from '../../src/types/engine.js';

// ava loads this file as CommonJS, verbs load as modules: one instance of each class needs one way of loading.
const loadMain = () => import('../../cli/main.js');
const loadErrors = () => import('../../src/errors.js');

const EVIL = 'a\x1b]52;c;eA==\x07b\rc\x9bd';
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

async function run(argv: string[], engine: object, tty: boolean): Promise<string> {
  let text = '';
  const add = (chunk: string | Uint8Array) => {
    text += Buffer.from(chunk as string).toString();
  };
  const io: Io = {
    env: {},
    out: add,
    err: add,
    sink: () => ({ write: async (chunk) => add(chunk) }),
    isTty: () => tty,
    columns: () => (tty ? 80 : undefined),
  };
  const { main } = await loadMain();
  await main(
    argv,
    io,
    async () => ({ terminal: { windowSize: () => ({ rows: 0, cols: 0 }) }, ...engine }) as unknown as Engine,
  );
  return text;
}

const CONTAINER = {
  ...{ id: 'a'.repeat(64), names: [EVIL], image: EVIL, imageId: `sha256:${'b'.repeat(64)}`, command: EVIL },
  ...{ created: '2026-01-01T00:00:00Z', state: 'running', status: EVIL, ports: [EVIL], networks: [EVIL] },
  ...{ labels: { [EVIL]: EVIL }, mounts: [EVIL] },
};
const IMAGE = {
  ...{ id: `sha256:${'b'.repeat(64)}`, repoTags: [`${EVIL}:${EVIL}`], repoDigests: [], created: '', size: 0 },
  ...{ labels: {}, dangling: false, containers: 0 },
};
const STEP = { id: EVIL, tags: [], size: 0, created_by: EVIL, comment: EVIL };
const VOLUME = { Name: EVIL, Driver: 'local', Mountpoint: EVIL, Labels: { [EVIL]: EVIL }, Scope: 'local' };
const EVENT = {
  ...{ timeNano: 1n, time: 0, Type: 'image', Action: EVIL, Actor: { ID: EVIL, Attributes: { name: EVIL } } },
  ...{ scope: 'local', json: '{}' },
};
const refuse = async () => {
  const { TsrunError } = await loadErrors();
  throw new TsrunError('REGISTRY', `denied: ${EVIL}`, { subject: EVIL, hint: EVIL });
};

const TEXTS: [argv: string[], engine: object][] = [
  [['ps', '-a'], { ps: async () => [CONTAINER] }],
  [['ps', '-as', '--no-trunc'], { ps: async () => [CONTAINER] }],
  [['ps', '--format', 'table {{.Names}}\t{{.Labels}}'], { ps: async () => [CONTAINER] }],
  [['images', '--no-trunc'], { images: async () => [IMAGE] }],
  [['history', '--no-trunc', 'x'], { history: async () => [STEP] }],
  [['volume', 'ls'], { volumes: { list: async () => [VOLUME] } }],
  [['stats', '--no-stream'], { stats: async () => [{ id: 'a'.repeat(64), name: EVIL, time: 0n }] }],
  [['top', 'x'], { top: async () => ({ titles: [EVIL], processes: [[EVIL]] }) }],
  [['rmi', 'x'], { removeImage: async () => [{ untagged: EVIL }] }],
  [
    ['load', '-i', '/dev/null'],
    { load: async () => [{ reference: EVIL, imageId: EVIL.slice(0, 1), previous: 'x' }] },
  ],
  [['container', 'prune', '-f'], { pruneContainers: async () => ({ deleted: [EVIL], reclaimed: 0 }) }],
  [
    ['commit', 'x'],
    { commit: async (_: string, { onWarning }: { onWarning(text: string): void }) => onWarning(EVIL) },
  ],
  [['create', 'x'], { create: async () => ({ id: 'x', warnings: [EVIL] }) }],
  [
    ['events'],
    {
      async *events() {
        yield EVENT;
      },
    },
  ],
  [['pull', 'x'], { pull: refuse }],
  [['run', 'x'], { create: refuse }],
  [['inspect', EVIL], { inspectContainer: refuse }],
  [['start', EVIL], { start: refuse }],
  [['rename', EVIL, 'y'], { rename: refuse }],
  [[EVIL], {}],
];

test('tables, lists, warnings and errors are escaped, on a terminal and in a pipe', async (t) => {
  for (const [argv, engine] of TEXTS)
    for (const tty of [true, false]) {
      const text = await run(argv, engine, tty);
      t.true(/\\x1b|\\u001b/.test(text), `${argv.join(' ')}: says nothing of it: ${text}`);
      t.notRegex(text, CONTROL, argv.join(' '));
    }
});

test('what a program asked for as data is whole in a pipe, and escaped on a terminal', async (t) => {
  const data: [string[], object][] = [
    [['ps', '--format', '{{.Names}}'], { ps: async () => [CONTAINER] }],
    [['volume', 'inspect', '-f', '{{.Name}}', 'x'], { volumes: { inspect: async () => VOLUME } }],
    [['diff', 'x'], { diff: async () => [{ kind: 'A', path: Buffer.from(EVIL) }] }],
  ];
  for (const [argv, engine] of data) {
    t.true((await run(argv, engine, false)).includes(EVIL), argv.join(' '));
    t.notRegex(await run(argv, engine, true), CONTROL, argv.join(' '));
  }
});

test('JSON has no control character anywhere', async (t) => {
  for (const argv of [
    ['ps', '--format', 'json'],
    ['ps', '--format', '{{json .}}'],
  ])
    t.notRegex(await run(argv, { ps: async () => [CONTAINER] }, false), CONTROL);
  t.notRegex(
    await run(['volume', 'inspect', 'x'], { volumes: { inspect: async () => VOLUME } }, false),
    CONTROL,
  );
});
