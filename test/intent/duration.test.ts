import test from 'ava';
import { humanDuration, parseDuration, parseTimestamp } from '../../src/intent/duration.js';
import { refused } from '../helpers/refused.js';

test('Go durations, in nanoseconds', (t) => {
  const table: [string, number][] = [
    ['0', 0],
    ['5s', 5e9],
    ['1.5s', 1.5e9],
    ['1h30m', 5400e9],
    ['-2m', -120e9],
    ['+1ms', 1e6],
    ['3us', 3000],
    ['3µs', 3000],
    ['.5m', 30e9],
    ['7ns', 7],
  ];
  for (const [text, value] of table) t.is(parseDuration(text), value, text);
  for (const text of ['', 'x', '.', '-', '1..5s', 's'])
    refused(t, () => parseDuration(text), `time: invalid duration "${text}"`);
  refused(t, () => parseDuration('5'), 'time: missing unit in duration "5"');
  refused(t, () => parseDuration('5d'), 'time: unknown unit "d" in duration "5d"');
});

test('points in time', (t) => {
  const now = new Date('2026-01-02T03:04:05Z');
  const local = (text: string) => new Date(text).toISOString();
  const table: [string, string][] = [
    ['1h30m', '2026-01-02T01:34:05.000Z'],
    ['-5m', '2026-01-02T03:09:05.000Z'],
    ['1.5s', '2026-01-02T03:04:03.500Z'],
    ['0', '1970-01-01T00:00:00.000Z'],
    ['1136073600.5', '2006-01-01T00:00:00.500Z'],
    ['2013-01-02T10:00:00+01:00', '2013-01-02T09:00:00.000Z'],
    ['2013-01-02T10:00:00.123456789Z', '2013-01-02T10:00:00.123Z'],
    ['2013-01-02Z', '2013-01-02T00:00:00.000Z'],
    ['2013-01-02', local('2013-01-02T00:00:00')],
    ['2013-01-02T10', local('2013-01-02T10:00:00')],
    ['2013-01-02T10:11', local('2013-01-02T10:11:00')],
    ['2012-02-29Z', '2012-02-29T00:00:00.000Z'],
  ];
  for (const [text, iso] of table) t.is(parseTimestamp(text, now, 'since').toISOString(), iso, text);
  for (const text of ['x', '5d', '12x', '10.x', '']) {
    refused(
      t,
      () => parseTimestamp(text, now, 'since'),
      `invalid value for "since": failed to parse value as time or duration: "${text}"`,
    );
  }
  refused(
    t,
    () => parseTimestamp('2013-13-01', now, 'until'),
    'invalid value for "until": parsing time "2013-13-01": month out of range',
  );
  refused(
    t,
    () => parseTimestamp('2013-02-29', now, 'since'),
    'invalid value for "since": parsing time "2013-02-29": day out of range',
  );
});

test('spoken durations', (t) => {
  const s = 1000;
  const m = 60 * s;
  const h = 60 * m;
  const d = 24 * h;
  const table: [number, string][] = [
    [-5 * s, 'Less than a second'],
    [999, 'Less than a second'],
    [s, '1 second'],
    [59.9 * s, '59 seconds'],
    [m, 'About a minute'],
    [119 * s, 'About a minute'],
    [2 * m, '2 minutes'],
    [59 * m, '59 minutes'],
    [h, 'About an hour'],
    [89 * m, 'About an hour'],
    [90 * m, '2 hours'],
    [47 * h, '47 hours'],
    [48 * h, '2 days'],
    [13 * d, '13 days'],
    [14 * d, '2 weeks'],
    [59 * d, '8 weeks'],
    [60 * d, '2 months'],
    [729 * d, '24 months'],
    [730 * d, '2 years'],
  ];
  for (const [milliseconds, text] of table) t.is(humanDuration(milliseconds), text);
});
