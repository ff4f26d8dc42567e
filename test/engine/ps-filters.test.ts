import test from 'ava';
import { commandText } from '../../src/engine/ps.js';
import { applyFilters, type FilterFacts } from '../../src/engine/ps-filters.js';
import type { ContainerView } from '../../src/engine/view.js';
import type { ContainerState } from '../../src/types/engine.js';
import { parseContainerId, parseDigest } from '../../src/types/ids.js';

const NOBODY: FilterFacts = {
  createdOf: () => '',
  imageOf: () => undefined,
};

function view(
  digit: string,
  state: ContainerState,
  more: Partial<ContainerView['record']> = {},
): ContainerView {
  return {
    state,
    exit: state === 'exited' ? { exitCode: 3, oomKilled: false, startedAt: 'x', finishedAt: 'y' } : undefined,
    record: {
      version: 1,
      id: parseContainerId(digit.repeat(64)),
      name: `name${digit}`,
      created: `2026-01-0${digit}T00:00:00Z`,
      image: { reference: 'busybox', id: parseDigest(`sha256:${digit.repeat(64)}`) },
      path: 'true',
      args: [],
      config: {
        Hostname: '',
        Domainname: '',
        AttachStdin: false,
        AttachStdout: false,
        AttachStderr: false,
        Tty: false,
        OpenStdin: false,
        StdinOnce: false,
        Image: 'busybox',
        Labels: { tier: digit },
      },
      hostConfig: {},
      mounts: [],
      layers: [],
      diffIds: [],
      imageSize: 0,
      network: 'none',
      autoRemove: false,
      anonymousVolumes: [],
      ...more,
    },
  };
}

const VIEWS = [view('1', 'running'), view('2', 'exited'), view('3', 'created')];

function shown(filters: Record<string, string[]>, facts = NOBODY): string[] {
  return applyFilters(VIEWS, filters, facts).map(({ record }) => record.name);
}

test('one key: any of its values; two keys: both', (t) => {
  t.deepEqual(shown({ status: ['running', 'exited'] }), ['name1', 'name2']);
  t.deepEqual(shown({ status: ['running', 'exited'], name: ['2'] }), ['name2']);
  t.deepEqual(shown({}), ['name1', 'name2', 'name3']);
});

test('names match by part or pattern, ids by prefix, labels by key or by value', (t) => {
  t.deepEqual(shown({ name: ['ame3'] }), ['name3']);
  t.deepEqual(shown({ name: ['^/name3$'] }), ['name3']);
  t.deepEqual(shown({ id: ['222'] }), ['name2']);
  t.deepEqual(shown({ label: ['tier'] }), ['name1', 'name2', 'name3']);
  t.deepEqual(shown({ label: ['tier=1'] }), ['name1']);
  t.deepEqual(shown({ label: ['constructor'] }), []);
});

test('exit codes are those of containers that ended', (t) => {
  t.deepEqual(shown({ exited: ['3'] }), ['name2']);
  t.deepEqual(shown({ exited: ['0'] }), []);
});

test('before and since another container', (t) => {
  const facts: FilterFacts = { ...NOBODY, createdOf: () => '2026-01-02T00:00:00Z' };
  t.deepEqual(shown({ before: ['name2'] }, facts), ['name1']);
  t.deepEqual(shown({ since: ['name2'] }, facts), ['name3']);
});

test('an ancestor is the image itself or one below it', (t) => {
  const [below, own, other] = ['a', 'b', 'c'].map((digit) => parseDigest(`sha256:${digit.repeat(64)}`));
  const views = [
    view('1', 'running', { diffIds: [below, own] as never }),
    view('2', 'running', { diffIds: [other] as never }),
  ];
  const facts: FilterFacts = { ...NOBODY, imageOf: () => ({ id: 'x', diffIds: [below as string] }) };
  t.deepEqual(
    applyFilters(views, { ancestor: ['base'] }, facts).map(({ record }) => record.name),
    ['name1'],
  );
});

test('what is no filter is refused', (t) => {
  t.throws(() => shown({ colour: ['red'] }), { code: 'USAGE', message: "Invalid filter 'colour'" });
  t.throws(() => shown({ status: ['asleep'] }), { code: 'USAGE' });
});

test('a command as ps shows it', (t) => {
  t.is(commandText('sh', ['-c', 'echo out; echo err']), "sh -c 'echo out; echo err'");
  t.is(commandText('true', []), 'true');
});
