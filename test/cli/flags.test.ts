import test from 'ava';
import { type Flag, scan } from '../../cli/flags.js';
import { typedValues } from '../../cli/parser.js';
import { UsageError } from '../../cli/usage.js';

const FLAGS = [
  { name: 'interactive', short: 'i', kind: 'bool', help: '' },
  { name: 'tty', short: 't', kind: 'bool', help: '' },
  { name: 'rm', kind: 'bool', help: '' },
  { name: 'env', short: 'e', kind: 'list', help: '' },
  { name: 'message', short: 'm', kind: 'string', help: '' },
  { name: 'last', short: 'n', kind: 'int', help: '', default: -1 },
  { name: 'pause', short: 'p', kind: 'bool', help: '', default: true },
  { name: 'hostname', short: 'x', kind: 'string', help: '' },
] as const satisfies readonly Flag[];

function read(argv: string[], interspersed = true) {
  const { tokens, args, help } = scan(argv, FLAGS, interspersed);
  const { _, $0, ...values } = typedValues(tokens, FLAGS);
  const set = Object.fromEntries(
    Object.entries(values).filter(([name]) => tokens.some((t) => t.flag.name === name)),
  );
  return { set, args, help };
}

const GOOD: [argv: string[], set: Record<string, unknown>, args: string[]][] = [
  [['-it'], { interactive: true, tty: true }, []],
  [['-it=false'], { interactive: true, tty: false }, []],
  [['--rm=0', '-i=T'], { rm: false, interactive: true }, []],
  [['-e', 'A=1', '-eB=2', '--env', 'C=3', '--env=D=4=5'], { env: ['A=1', 'B=2', 'C=3', 'D=4=5'] }, []],
  [['-e', '--rm', 'x'], { env: ['--rm'] }, ['x']],
  [['-m=text', 'c'], { message: 'text' }, ['c']],
  [['-m=', 'c'], { message: '' }, ['c']],
  [['--message=', 'c'], { message: '' }, ['c']],
  [["-m='quoted'"], { message: "'quoted'" }, []],
  [['-m', '"q"'], { message: '"q"' }, []],
  [['-m', '007'], { message: '007' }, []],
  [['-m', '1e3'], { message: '1e3' }, []],
  [['-m', 'true'], { message: 'true' }, []],
  [['-m', 'two\nlines'], { message: 'two\nlines' }, []],
  [['-m', 'né…'], { message: 'né…' }, []],
  [['-m', 'a', '-m', 'b'], { message: 'b' }, []],
  [['-n5'], { last: 5 }, []],
  [['-n', '-1'], { last: -1 }, []],
  [['-itm', 'x'], { interactive: true, tty: true, message: 'x' }, []],
  [['-p=false'], { pause: false }, []],
  [['a', '-i', 'b'], { interactive: true }, ['a', 'b']],
  [['a', '--', '-i'], {}, ['a', '-i']],
  [['-'], {}, ['-']],
  [['-e', '__proto__=1'], { env: ['__proto__=1'] }, []],
  [['-e', ''], { env: [''] }, []],
];

for (const [argv, set, args] of GOOD)
  test(`flags ${JSON.stringify(argv)}`, (t) => {
    t.deepEqual(read(argv), { set, args, help: false });
  });

test("flags after the image are the command's", (t) => {
  t.deepEqual(read(['-i', 'busybox', 'ls', '-t', '--rm', '--help'], false), {
    set: { interactive: true },
    args: ['busybox', 'ls', '-t', '--rm', '--help'],
    help: false,
  });
  t.deepEqual(read(['-i', '--', 'busybox', '--', 'x'], false).args, ['busybox', '--', 'x']);
});

test('defaults: lists are empty, booleans false unless said otherwise', (t) => {
  const values = typedValues([], FLAGS);
  t.deepEqual(
    [values.env, values.rm, values.pause, values.last, values.message],
    [[], false, true, -1, undefined],
  );
});

test('--help and -h win over what follows', (t) => {
  t.true(scan(['--help', '--bad'], FLAGS).help);
  t.true(scan(['-ih'], FLAGS).help);
});

/** As docker 28 says it. */
const BAD: [argv: string[], message: string][] = [
  [['--nope'], 'unknown flag: --nope'],
  [['--int'], 'unknown flag: --int'],
  [['--nope=1'], 'unknown flag: --nope'],
  [['-Z'], "unknown shorthand flag: 'Z' in -Z"],
  [['-itZx'], "unknown shorthand flag: 'Z' in -Zx"],
  [['-e'], "flag needs an argument: 'e' in -e"],
  [['-ite'], "flag needs an argument: 'e' in -e"],
  [['--env'], 'flag needs an argument: --env'],
  [['--=x'], 'bad flag syntax: --=x'],
  [['---rm'], 'bad flag syntax: ---rm'],
  [
    ['--rm=maybe'],
    'invalid argument "maybe" for "--rm" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  ],
  [
    ['-n', 'abc'],
    'invalid argument "abc" for "-n, --last" flag: strconv.ParseInt: parsing "abc": invalid syntax',
  ],
];

for (const [argv, message] of BAD)
  test(`bad flags ${JSON.stringify(argv)}`, (t) => {
    const error = t.throws(() => scan(argv, FLAGS), { instanceOf: UsageError });
    t.is(error.message, message);
    t.is(error.exitCode, 125);
  });
