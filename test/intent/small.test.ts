import test from 'ava';
import { checkFilters, matchesLabels, parseFilters } from '../../src/intent/filters.js';
import { parseContainerName, randomName } from '../../src/intent/name.js';
import { parseSignal } from '../../src/intent/signal.js';
import { formatSize, parseSize } from '../../src/intent/size.js';
import { parseUser } from '../../src/intent/user.js';
import { refused } from '../helpers/refused.js';

test('users: names pass, numbers must be ids', (t) => {
  for (const text of [
    '',
    'bob',
    'bob:staff',
    '0',
    '2147483647',
    '1:2',
    ':',
    ':2',
    '1:',
    '007',
    '0x10',
    'a-b',
  ]) {
    t.is(parseUser(text), text);
  }
  const range = 'uids and gids must be in range 0-2147483647';
  for (const text of [
    '2147483648',
    '4294967296',
    '-1',
    '+5',
    '1:2147483648',
    '99999999999999999999',
    'bob:-1',
  ]) {
    refused(t, () => parseUser(text), range);
  }
  refused(t, () => parseUser('a\nb'), 'invalid user: "a\\nb"');
});

test('signals', (t) => {
  const table: [string, number][] = [
    ['TERM', 15],
    ['SIGTERM', 15],
    ['sigterm', 15],
    ['15', 15],
    ['HUP', 1],
    ['USR1', 10],
    ['WINCH', 28],
    ['SYS', 31],
    ['CLD', 17],
    ['RTMIN', 34],
    ['RTMIN+3', 37],
    ['SIGRTMIN+30', 64],
    ['RTMAX', 64],
    ['rtmax-14', 50],
  ];
  for (const [text, signal] of table) t.is(parseSignal(text), signal, text);
  for (const text of [
    '',
    'x',
    '0',
    '-1',
    '65',
    '1.5',
    'SIG',
    'RTMIN-1',
    'RTMAX+1',
    'RTMIN+31',
    '1e1',
    'constructor',
  ]) {
    refused(t, () => parseSignal(text), `Invalid signal: ${text}`);
  }
});

test('container names', (t) => {
  for (const name of ['ab', 'a_b.c-d', '0a', 'A'.repeat(300)]) t.is(parseContainerName(name), name);
  t.is(parseContainerName('/ab'), 'ab');
  for (const name of ['a', '', '-ab', 'a!b', 'a/b', '//ab', '..', 'a b', 'ab\n']) {
    refused(
      t,
      () => parseContainerName(name),
      `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  }
});

test('made names are valid, and retried ones have a digit', (t) => {
  for (const value of [0, 0.5, 0.999999]) {
    t.regex(
      randomName(() => value),
      /^[a-z]+_[a-z]+$/,
    );
    t.regex(
      randomName(() => value, 1),
      /^[a-z]+_[a-z]+\d$/,
    );
    t.notThrows(() => parseContainerName(randomName(() => value)));
  }
});

test('filters', (t) => {
  t.deepEqual(parseFilters(['a=1', 'b=x=y', 'A = 2 ', '']), { a: ['1', '2'], b: ['x=y'] });
  refused(
    t,
    () => parseFilters(['x']),
    'invalid argument "x" for "-f, --filter" flag: bad format of filter (expected name=value)',
  );
  t.notThrows(() => checkFilters({ name: ['a'] }, ['name', 'id']));
  refused(t, () => checkFilters({ foo: ['a'] }, ['name', 'id']), "Invalid filter 'foo'");
  const labels = { a: '1', b: '' };
  t.true(matchesLabels(labels, ['a', 'a=1', 'b=']));
  t.true(matchesLabels(labels));
  t.false(matchesLabels(labels, ['a=2']));
  t.false(matchesLabels(labels, ['toString']));
});

test('sizes', (t) => {
  const printed: [number, string][] = [
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [2284567, '2.28MB'],
    [200000, '200kB'],
    [178_000_000, '178MB'],
    [999_999, '1000kB'],
    [12_345_678_901, '12.3GB'],
  ];
  for (const [bytes, text] of printed) t.is(formatSize(bytes), text);
  const read: [string, number][] = [
    ['100', 100],
    ['1k', 1024],
    ['64m', 64 * 1024 ** 2],
    ['1.5GiB', 1.5 * 1024 ** 3],
    ['2 KB', 2048],
    ['7b', 7],
  ];
  for (const [text, bytes] of read) t.is(parseSize(text), bytes, text);
  refused(t, () => parseSize('4x'), "invalid suffix: 'x'");
  refused(t, () => parseSize('abc'), "invalid size: 'abc'");
  refused(t, () => parseSize('-1'), "invalid size: '-1'");
});
