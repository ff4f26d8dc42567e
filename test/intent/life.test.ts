import test from 'ava';
import { parseHealth } from '../../src/intent/health.js';
import { parseLog } from '../../src/intent/log.js';
import { parseRestart } from '../../src/intent/restart.js';
import type { Healthcheck } from '../../src/types/oci.js';
import type { LifeOptions } from '../../src/types/run-options.js';
import { refused } from '../helpers/refused.js';

test('restart policies', (t) => {
  const table: [string | undefined, boolean, string, number][] = [
    [undefined, true, 'no', 0],
    ['', true, 'no', 0],
    ['no', true, 'no', 0],
    ['no:0', false, 'no', 0],
    ['always', false, 'always', 0],
    ['unless-stopped', false, 'unless-stopped', 0],
    ['on-failure', false, 'on-failure', 0],
    ['on-failure:3', false, 'on-failure', 3],
  ];
  for (const [text, rm, name, maxRetries] of table) {
    t.deepEqual(parseRestart(text, rm), { name, maxRetries }, String(text));
  }
  const conflict = 'conflicting options: cannot specify both --restart and --rm';
  const refusals: [string, boolean, string][] = [
    ['foo', false, "invalid restart policy 'foo'"],
    ['ALWAYS', false, "invalid restart policy 'ALWAYS'"],
    ['no:3', false, "maximum retry count cannot be used with restart policy 'no'"],
    ['always:3', false, "maximum retry count cannot be used with restart policy 'always'"],
    ['unless-stopped:1', false, "maximum retry count cannot be used with restart policy 'unless-stopped'"],
    ['on-failure:-1', false, 'maximum retry count cannot be negative'],
    ['on-failure:a', false, 'invalid restart policy format: maximum retry count must be an integer'],
    ['on-failure:1:2', false, 'invalid restart policy format: maximum retry count must be an integer'],
    [':3', false, 'invalid restart policy format: no policy provided before colon'],
    ['always', true, conflict],
    ['on-failure:0', true, conflict],
    ['foo', true, conflict],
  ];
  for (const [text, rm, message] of refusals) refused(t, () => parseRestart(text, rm), message);
});

test('health checks', (t) => {
  const table: [LifeOptions, Healthcheck | undefined][] = [
    [{}, undefined],
    [{ healthCmd: '', healthInterval: '0s', healthRetries: 0 }, undefined],
    [{ healthCmd: 'curl -f x' }, { Test: ['CMD-SHELL', 'curl -f x'] }],
    [
      { healthInterval: '1s', healthTimeout: '2m', healthStartPeriod: '1ms', healthStartInterval: '3s' },
      { Interval: 1e9, Timeout: 120e9, StartPeriod: 1e6, StartInterval: 3e9 },
    ],
    [{ healthRetries: 5 }, { Retries: 5 }],
    [{ noHealthcheck: true }, { Test: ['NONE'] }],
  ];
  for (const [options, expected] of table) t.deepEqual(parseHealth(options), expected);
  const conflict = '--no-healthcheck conflicts with --health-* options';
  const refusals: [LifeOptions, string][] = [
    [{ noHealthcheck: true, healthCmd: 'x' }, conflict],
    [{ noHealthcheck: true, healthRetries: 3 }, conflict],
    [
      { healthInterval: 'abc' },
      'invalid argument "abc" for "--health-interval" flag: time: invalid duration "abc"',
    ],
    [{ healthInterval: '-1s' }, '--health-interval cannot be negative'],
    [{ healthStartPeriod: '-1s' }, '--health-start-period cannot be negative'],
    [{ healthStartInterval: '-1s' }, '--health-start-interval cannot be negative'],
    [{ healthRetries: -1 }, '--health-retries cannot be negative'],
    [{ healthInterval: '500us' }, 'Interval in Healthcheck cannot be less than 1ms'],
    [{ healthTimeout: '500us' }, 'Timeout in Healthcheck cannot be less than 1ms'],
    [{ healthStartPeriod: '500us' }, 'StartPeriod in Healthcheck cannot be less than 1ms'],
  ];
  for (const [options, message] of refusals) refused(t, () => parseHealth(options), message);
});

test('logs: drivers and what they take', (t) => {
  const MB = 1024 ** 2;
  const shown = (driver: string | undefined, options: string[]) => {
    const { driver: name, maxSize, maxFile } = parseLog(driver, options);
    return [name, maxSize, maxFile];
  };
  const table: [string | undefined, string[], [string, number, number]][] = [
    [undefined, [], ['json-file', 10 * MB, 3]],
    ['', [], ['json-file', 10 * MB, 3]],
    ['json-file', ['max-size=1m'], ['json-file', MB, 3]],
    ['json-file', ['max-size=1k', 'max-file=7', 'max-size=2k'], ['json-file', 2048, 7]],
    ['json-file', ['max-size=-1'], ['json-file', 0, 3]],
    ['json-file', ['mode=blocking', 'compress=0'], ['json-file', 10 * MB, 3]],
    ['local', [], ['local', 20 * MB, 5]],
    ['local', ['compress=false', 'max-file=1'], ['local', 20 * MB, 1]],
    ['none', [], ['none', 0, 1]],
  ];
  for (const [driver, options, expected] of table) t.deepEqual(shown(driver, options), expected);
  t.deepEqual(parseLog(undefined, ['max-size=1m']).config, { 'max-file': '3', 'max-size': '1m' });

  t.false(parseLog(undefined, []).compress);
  t.true(parseLog(undefined, ['compress=true']).compress);
  t.true(parseLog('local', []).compress);
  t.false(parseLog('local', ['max-file=1']).compress, 'what was not asked for gives way');

  const failed = (reason: string) => `failed to initialize logging driver: ${reason}`;
  const refusals: [string, string[], string][] = [
    ['foo', [], 'error looking up logging plugin foo: plugin "foo" not found'],
    ['none', ['a=b'], 'invalid logging opts for driver none'],
    ['json-file', ['foo=bar'], "unknown log opt 'foo' for json-file log driver"],
    ['json-file', ['__proto__=x'], "unknown log opt '__proto__' for json-file log driver"],
    ['local', ['labels=1'], "unknown log opt 'labels' for log driver local"],
    ['json-file', ['max-size=abc'], failed("invalid size: 'abc'")],
    ['json-file', ['max-size=-5'], failed("invalid size: '-5'")],
    ['json-file', ['max-file=0'], failed('max-file cannot be less than 1')],
    ['json-file', ['max-file=x'], failed('strconv.Atoi: parsing "x": invalid syntax')],
    ['json-file', ['compress=x'], failed('strconv.ParseBool: parsing "x": invalid syntax')],
    ['json-file', ['mode=foo'], 'logger: logging mode not supported: foo'],
    // A wish that would silently come to nothing.
    ['json-file', ['mode=non-blocking'], 'the log option mode=non-blocking is not supported'],
    ['json-file', ['max-buffer-size=1m'], 'the log option max-buffer-size=1m is not supported'],
    ['json-file', ['labels-regex=('], failed('error parsing regexp: (')],
    ...[['max-file=1'], ['max-size=-1']].map((option): [string, string[], string] => [
      'json-file',
      ['compress=true', ...option],
      failed('compress cannot be true when max-file is less than 2 or max-size is not set'),
    ]),
  ];
  for (const [driver, options, message] of refusals) refused(t, () => parseLog(driver, options), message);
});
