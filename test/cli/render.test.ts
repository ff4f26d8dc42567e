import test from 'ava';
import { renderError } from '../../cli/render/error.js';
import { ellipsis, escapeControls, escapeForText, goQuote } from '../../cli/render/escape.js';
import { renderListing } from '../../cli/render/listing.js';
import { renderTable } from '../../cli/render/table.js';
import { binarySize, goTime, humanAge, humanSize, localRfc3339 } from '../../cli/render/units.js';
import { TsrunError } from '../../src/errors.js';

test('decimal sizes have three significant digits', (t) => {
  const sizes = [0, 1, 999, 1000, 1234, 200_000, 2_284_000, 12_345_678, 178_400_000, 999_600, 1e9, 1.5e12];
  t.deepEqual(
    sizes.map((size) => humanSize(size)),
    ['0B', '1B', '999B', '1kB', '1.23kB', '200kB', '2.28MB', '12.3MB', '178MB', '1MB', '1GB', '1.5TB'],
  );
});

test('memory is in binary units', (t) => {
  t.is(binarySize(25_276_252_160), '23.54GiB');
  t.is(binarySize(920 * 1024), '920KiB');
});

test('ages are rough, and N/A for a time nobody set', (t) => {
  const now = Date.parse('2026-11-24T00:00:00Z');
  const ages = [
    '2026-11-23T23:59:59.5Z',
    '2026-11-23T23:58:50Z',
    '2026-11-20T00:00:00Z',
    '1970-01-01T00:00:00Z',
    undefined,
    '',
  ];
  t.deepEqual(
    ages.map((age) => humanAge(age, now)),
    ['Less than a second ago', 'About a minute ago', '4 days ago', 'N/A', 'N/A', 'N/A'],
  );
});

test('times are local, as Go prints them', (t) => {
  // The tests run in whatever zone the machine has: the instant is what must be right.
  const text = goTime('2026-11-24T08:00:07.5Z');
  const [, day, clock, offset] = /^(\S+) (\S+) ([+-]\d{4}) \S+$/.exec(text) ?? [];
  t.is(
    Date.parse(`${day}T${clock}${offset?.slice(0, 3)}:${offset?.slice(3)}`),
    Date.parse('2026-11-24T08:00:07Z'),
  );
  t.is(Date.parse(localRfc3339('2026-11-24T08:00:07.5Z')), Date.parse('2026-11-24T08:00:07Z'));
});

test('columns are padded by three, ten wide at least, the last one not', (t) => {
  const rows = [
    ['IMAGE ID', 'TAG', 'SIZE'],
    ['0123456789ab', 'é', '1B'],
    ['x', '', ''],
  ];
  t.is(
    renderTable(rows),
    'IMAGE ID       TAG       SIZE\n0123456789ab   é         1B\nx                        \n',
  );
});

test('control characters of names reach no terminal', (t) => {
  t.is(escapeControls('a\x1b]52;c\x07\r\n\x9b\u202e'), 'a\\x1b]52;c\\x07\\x0d\\x0a\\x9b\\u202e');
  t.is(escapeForText('a\n\tb\x1b'), 'a\n\tb\\x1b');
  t.is(renderTable([['a\nb', 'c']]), 'a\\x0ab    c\n');
  t.is(goQuote('sh -c "a\tb\x1b"'), '"sh -c \\"a\\tb\\x1b\\""');
});

test('cut text ends in an ellipsis and counts characters, not units', (t) => {
  t.is(ellipsis("sh -c 'echo out; echo err'", 20), "sh -c 'echo out; ec…");
  t.is(ellipsis('𝒳𝒳𝒳', 3), '𝒳𝒳𝒳');
  t.is(ellipsis('𝒳𝒳𝒳𝒳', 3), '𝒳𝒳…');
});

interface Row {
  id: string;
  name: string;
}
const listing = (format: string | undefined, quiet?: string) =>
  renderListing<Row>({
    rows: [
      { id: '0123', name: 'web' },
      { id: '4567', name: 'a\x1bb' },
    ],
    fields: {
      ID: { header: 'CONTAINER ID', value: (row) => row.id },
      Names: { header: 'NAMES', value: (row) => row.name },
    },
    methods: { Label: { header: (key) => key.toUpperCase(), value: (row, key) => `${row.id}-${key}` } },
    type: 'Row',
    columns: ['ID', 'Names'],
    format,
    quiet,
    terminal: false,
  });

test('a listing is a table, ids, JSON lines or a template', async (t) => {
  const table = 'CONTAINER ID   NAMES\n0123           web\n4567           a\\x1bb\n';
  t.is(await listing(undefined), table);
  t.is(await listing('table'), table);
  t.is(await listing(undefined, 'ID'), '0123\n4567\n');
  t.is(await listing('json'), '{"ID":"0123","Names":"web"}\n{"ID":"4567","Names":"a\\u001bb"}\n');
  t.is(await listing('{{.ID}}\\t{{.Label "x"}}'), '0123\t0123-x\n4567\t4567-x\n');
  t.is(
    await listing('table {{.Names | upper}}\\t{{.Label "key"}}'),
    'NAMES     KEY\nWEB       0123-key\nA\\x1bB    4567-key\n',
  );
  await t.throwsAsync(listing('{{.Nope}}'), {
    name: 'UsageError',
    message: /^template parsing error: .*Nope/,
  });
});

test('an error is its cause, the step, and a hint; never a stack unless asked', (t) => {
  const error = new TsrunError('HELPER', 'invalid mount: /nope\x1b[31m', {
    step: 'mounts.bind',
    errno: 'ENOENT',
    subject: '/nope',
    hint: 'create it first',
  });
  t.is(
    renderError(error, { debug: false, helpFor: 'tsrun run' }),
    "tsrun: invalid mount: /nope\\x1b[31m\n  step: mounts.bind (ENOENT)\n  hint: create it first\n\nRun 'tsrun run --help' for more information\n",
  );
  t.regex(renderError(error, { debug: true }), /render\.test\.ts/);
});

test('an unknown error says that it is a bug', (t) => {
  t.regex(
    renderError(new TypeError('x is undefined\nmore'), { debug: false }),
    /^tsrun: x is undefined\n.*bug.*\n$/,
  );
});
