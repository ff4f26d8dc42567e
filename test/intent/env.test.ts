import test from 'ava';
import { type EnvChange, parseEnv, parseEnvFile, parseLabels } from '../../src/intent/env.js';
import { refused } from '../helpers/refused.js';

const host = { HERE: 'yes', EMPTY: '' };

test('-e sets, copies or removes', (t) => {
  const table: [string, EnvChange][] = [
    ['A=1', { name: 'A', value: '1' }],
    ['A=', { name: 'A', value: '' }],
    ['A=b=c', { name: 'A', value: 'b=c' }],
    ['A= x ', { name: 'A', value: ' x ' }],
    ['HERE', { name: 'HERE', value: 'yes' }],
    ['EMPTY', { name: 'EMPTY', value: '' }],
    ['GONE', { remove: 'GONE' }],
  ];
  for (const [text, change] of table) t.deepEqual(parseEnv(text, host), change, text);
  refused(
    t,
    () => parseEnv('=x', host),
    'invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x',
  );
  refused(
    t,
    () => parseEnv('', host),
    'invalid argument "" for "-e, --env" flag: invalid environment variable: ',
  );
});

test('an env file is read line by line, without quotes', (t) => {
  const text = '\uFEFFA=1\r\n# note\n\n  B="q"\nC=x # y \n\tHERE\nGONE\nD=\n #E=1\nF =1'.replace(
    'F =1',
    'F=1',
  );
  t.deepEqual(parseEnvFile({ path: 'f', text }, host), [
    { name: 'A', value: '1' },
    { name: 'B', value: '"q"' },
    { name: 'C', value: 'x # y ' },
    { name: 'HERE', value: 'yes' },
    { name: 'D', value: '' },
    { name: 'F', value: '1' },
  ]);
  const bytes = Buffer.from('\uFEFFA=ü\nB=2\n');
  t.deepEqual(parseEnvFile({ path: 'f', text: bytes }, host), [
    { name: 'A', value: 'ü' },
    { name: 'B', value: '2' },
  ]);
});

test('an env file is refused with the reason', (t) => {
  const table: [string | Uint8Array, string][] = [
    ['A B=1', "variable 'A B' contains whitespaces"],
    [' A =1', "variable 'A ' contains whitespaces"],
    ['=1', "no variable name on line '=1'"],
    ['A B', "variable 'A B' contains whitespaces"],
    [Buffer.from([0x41, 0x0a, 0xff, 0x3d, 0x31]), 'invalid utf8 bytes at line 2: [255 61 49]'],
  ];
  for (const [text, reason] of table) {
    refused(t, () => parseEnvFile({ path: '/e', text }, host), `invalid env file (/e): ${reason}`);
  }
});

test('labels', (t) => {
  t.deepEqual(parseLabels(['a', 'b=1', 'b=2', 'c=', 'd=e=f']), { a: '', b: '2', c: '', d: 'e=f' });
  t.deepEqual(Object.keys(parseLabels(['__proto__=x'])), ['__proto__']);
  refused(
    t,
    () => parseLabels(['=x']),
    `invalid argument "=x" for "-l, --label" flag: invalid label '=x': empty name`,
  );
  refused(
    t,
    () => parseLabels(['']),
    `invalid argument "" for "-l, --label" flag: invalid label '': empty name`,
  );
  refused(
    t,
    () => parseLabels(['a b=x']),
    `invalid argument "a b=x" for "-l, --label" flag: label 'a b' contains whitespaces`,
  );
});
