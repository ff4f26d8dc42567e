import test from 'ava';
import { parseAttach } from '../../src/intent/attach.js';
import { parseLabels } from '../../src/intent/env.js';
import { parseExpose } from '../../src/intent/expose.js';
import { ipVersion } from '../../src/intent/ip.js';
import { parseExtraHost, parseResolver } from '../../src/intent/resolver.js';
import { refused } from '../helpers/refused.js';

test('IP addresses', (t) => {
  const table: [string, 4 | 6 | undefined][] = [
    ['1.2.3.4', 4],
    ['255.255.255.255', 4],
    ['1.2.3', undefined],
    ['1.2.3.256', undefined],
    ['01.2.3.4', undefined],
    ['::', 6],
    ['::1', 6],
    ['fe80::1:2', 6],
    ['1:2:3:4:5:6:7:8', 6],
    ['1:2:3:4:5:6:1.2.3.4', 6],
    ['::ffff:1.2.3.4', 6],
    ['1::', 6],
    ['1:2:3:4:5:6:7', undefined],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['1::2::3', undefined],
    ['1:2:3:4:5:6:7::8', undefined],
    [':1', undefined],
    ['fe80::1%eth0', undefined],
    ['12345::', undefined],
    ['', undefined],
  ];
  for (const [text, version] of table) t.is(ipVersion(text), version, text);
});

test('--add-host', (t) => {
  const table: [string, string][] = [
    ['foo:1.2.3.4', '1.2.3.4'],
    ['foo=1.2.3.4', '1.2.3.4'],
    ['foo:::1', '::1'],
    ['foo=[::1]', '::1'],
    ['foo:[::1]', '::1'],
    ['foo:host-gateway', 'host-gateway'],
  ];
  for (const [text, address] of table) t.deepEqual(parseExtraHost(text), { name: 'foo', address });
  const refusals: [string, string][] = [
    ['foo', 'bad format for add-host: "foo"'],
    [':1.2.3.4', 'bad format for add-host: ":1.2.3.4"'],
    ['a b:1.2.3.4', 'bad format for add-host: "a b:1.2.3.4"'],
    ['foo:bar', 'invalid IP address in add-host: "bar"'],
    ['foo:', 'invalid IP address in add-host: ""'],
    ['foo:1.2.3.4 x', 'invalid IP address in add-host: "1.2.3.4 x"'],
  ];
  for (const [text, reason] of refusals) {
    refused(t, () => parseExtraHost(text), `invalid argument "${text}" for "--add-host" flag: ${reason}`);
  }
  // Neither a name nor an address brings a line of its own.
  t.throws(() => parseExtraHost('a\n6.6.6.6 bank.com:1.2.3.4'));
  t.throws(() => parseExtraHost('a:1.2.3.4\n6.6.6.6 bank.com'));
});

test('resolver options', (t) => {
  t.deepEqual(
    parseResolver({ dns: ['1.2.3.4', '::1'], dnsSearch: ['a.b', '.', 'x_y.lan'], dnsOption: ['ndots:5'] }),
    { servers: ['1.2.3.4', '::1'], search: ['a.b', '.', 'x_y.lan'], options: ['ndots:5'] },
  );
  const table: [Parameters<typeof parseResolver>[0], string][] = [
    [{ dns: ['bad'] }, 'invalid argument "bad" for "--dns" flag: IP address is not correctly formatted: bad'],
    ...['a b', '-x', '', '1.2', 'a\nnameserver 6.6.6.6'].map(
      (domain): [Parameters<typeof parseResolver>[0], string] => [
        { dnsSearch: [domain] },
        `invalid argument ${JSON.stringify(domain)} for "--dns-search" flag: ${domain} is not a valid domain`,
      ],
    ),
    [
      { dnsOption: ['a\nnameserver 6.6.6.6'] },
      'invalid argument "a\\nnameserver 6.6.6.6" for "--dns-option" flag: "a\\nnameserver 6.6.6.6" is not a resolver option',
    ],
  ];
  for (const [options, message] of table) refused(t, () => parseResolver(options), message);
});

test('--expose', (t) => {
  t.deepEqual(parseExpose('80'), ['80/tcp']);
  t.deepEqual(parseExpose('80-82/udp'), ['80/udp', '81/udp', '82/udp']);
  t.deepEqual(parseExpose('80/TCP'), ['80/tcp']);
  const bad = (text: string, reason: string) =>
    `invalid range format for --expose: ${text}, error: ${reason}`;
  const table: [string, string][] = [
    ['80:80', 'invalid port format for --expose: 80:80'],
    ['80-79', bad('80-79', 'invalid range specified for port: 80-79')],
    ['abc', bad('abc', 'strconv.ParseUint: parsing "abc": invalid syntax')],
    ['70000', bad('70000', 'strconv.ParseUint: parsing "70000": value out of range')],
    ['/tcp', bad('/tcp', 'empty string specified for ports')],
    ['80/foo', bad('80/foo', 'invalid proto: foo')],
  ];
  for (const [text, message] of table) refused(t, () => parseExpose(text), message);
});

test('-a', (t) => {
  const shown = (texts: string[], detach = false, interactive = false) => {
    const streams = parseAttach(texts, { detach, interactive });
    return Object.entries(streams).flatMap(([name, wanted]) => (wanted ? [name] : []));
  };
  t.deepEqual(shown([]), ['stdout', 'stderr']);
  t.deepEqual(shown([], false, true), ['stdin', 'stdout', 'stderr']);
  t.deepEqual(shown([], true, true), []);
  t.deepEqual(shown(['STDOUT']), ['stdout']);
  t.deepEqual(shown(['stderr', 'Stdin'], false, true), ['stdin', 'stderr']);
  refused(
    t,
    () => shown(['foo']),
    'invalid argument "foo" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR',
  );
  refused(t, () => shown(['stdout'], true), 'conflicting options: cannot specify both --attach and --detach');
});

test('label files come before -l, and copy nothing', (t) => {
  const file = { path: 'lf', text: 'a=b\n# c\nd\n  x=1 \n' };
  t.deepEqual(parseLabels(['x=2', 'y'], [file]), { a: 'b', x: '2', y: '' });
  refused(
    t,
    () => parseLabels([], [{ path: 'lf', text: 'x y=1' }]),
    "invalid env file (lf): variable 'x y' contains whitespaces",
  );
});
