import test from 'ava';
import { planCommit } from '../../src/plan/commit.js';
import type { ContainerConfig } from '../../src/plan/config.js';
import { type DiffId, parseDiffId } from '../../src/types/ids.js';
import type { ImageConfig } from '../../src/types/oci.js';

const diff = (digit: string): DiffId => parseDiffId(`sha256:${digit.repeat(64)}`);

const BASE: ImageConfig = {
  created: '2020-01-01T00:00:00Z',
  author: 'base author',
  architecture: 'arm64',
  variant: 'v8',
  os: 'linux',
  config: { Cmd: ['bash'], OnBuild: ['RUN x'] },
  rootfs: { type: 'layers', diff_ids: [diff('1'), diff('2')] },
  history: [{ created_by: 'one' }, { created_by: 'env', empty_layer: true }, { created_by: 'two' }],
};

const CONFIG: ContainerConfig = {
  Hostname: 'abc',
  Domainname: '',
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
  Tty: true,
  OpenStdin: true,
  StdinOnce: true,
  Image: 'ubuntu',
  User: '',
  Env: ['A=1'],
  Cmd: ['/bin/bash'],
  Entrypoint: null,
  Labels: {},
  Volumes: null,
  WorkingDir: '',
  OnBuild: null,
};

function commit(
  options: { author?: string; message?: string; changes?: string[] } = {},
  base = BASE,
): ImageConfig {
  return plan(options, base, diff('3'));
}

function plan(
  options: { author?: string; message?: string; changes?: string[]; squash?: boolean },
  base: ImageConfig,
  diffId: DiffId | undefined,
): ImageConfig {
  return planCommit({
    base,
    argv: ['/bin/bash', '-c', 'apt install vim'],
    config: CONFIG,
    diffId,
    created: '2026-01-01T00:00:00.000000000Z',
    options,
  });
}

test('where nothing has changed there is no layer, but a step in the history', (t) => {
  const image = plan({ message: 'only words' }, BASE, undefined);
  t.deepEqual(image.rootfs.diff_ids, BASE.rootfs.diff_ids);
  t.is(image.history?.at(-1)?.empty_layer, true);
  t.is(image.history?.at(-1)?.comment, 'only words');
});

test('one layer and one history entry are added, what was below stays', (t) => {
  const image = commit({ author: '小燕 <x@example.org>', message: 'add vim ✓' });
  t.deepEqual(image.rootfs.diff_ids, [diff('1'), diff('2'), diff('3')]);
  t.deepEqual(image.history?.slice(0, 3), BASE.history);
  t.deepEqual(image.history?.[3], {
    created: '2026-01-01T00:00:00.000000000Z',
    author: '小燕 <x@example.org>',
    created_by: '/bin/bash -c apt install vim',
    comment: 'add vim ✓',
  });
  t.is(image.author, '小燕 <x@example.org>');
  t.is(image.architecture, 'arm64');
  t.is(image.variant, 'v8');
});

test('what belongs to the one run is not in the image', (t) => {
  t.deepEqual(commit().config, { Env: ['A=1'], Cmd: ['/bin/bash'] });
});

test('changes apply to the container’s config', (t) => {
  const config = commit({ changes: ['CMD ["redis"]', 'ENV B=$A'] }).config;
  t.deepEqual(config?.Cmd, ['redis']);
  t.deepEqual(config?.Env, ['A=1', 'B=1']);
  t.throws(() => commit({ changes: ['RUN x'] }), {
    code: 'USAGE',
    message: 'run is not a valid change command',
  });
});

test('layers and history stay aligned when the base has no history', (t) => {
  const image = commit({}, { ...BASE, history: undefined });
  t.is(image.history?.length, 3);
  t.true(image.history?.every((entry) => entry.empty_layer === undefined));
});

test('squashed, one layer is left, and the steps of the base have none', (t) => {
  const image = plan({ squash: true, message: 'all' }, BASE, diff('3'));
  t.deepEqual(image.rootfs.diff_ids, [diff('3')]);
  t.deepEqual(
    image.history?.map(({ empty_layer, created_by }) => [created_by, empty_layer === true]),
    [
      ['one', true],
      ['env', true],
      ['two', true],
      ['/bin/bash -c apt install vim', false],
    ],
  );
  t.is(plan({ squash: true }, { ...BASE, history: undefined }, diff('3')).history?.length, 1);
});
