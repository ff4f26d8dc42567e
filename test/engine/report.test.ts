import { closeSync, writeSync } from 'node:fs';
import test from 'ava';
import { ReportReader, readReport } from '../../src/engine/report.js';
import { loadNative } from '../../src/native/load.js';

function outcomeOf(...chunks: string[]) {
  const reader = new ReportReader();
  for (const chunk of chunks) reader.push(chunk);
  return reader.outcome();
}

test('exec and then nothing means running', (t) => {
  t.deepEqual(outcomeOf('{"step":"mounts.overlay","t":1}\n{"step":"ex', 'ec","t":2}\n'), { kind: 'running' });
});

test('the end after any other step means that the helper died in it', (t) => {
  t.deepEqual(outcomeOf('{"step":"mounts.overlay","t":1}\n'), { kind: 'died', step: 'mounts.overlay' });
  t.deepEqual(outcomeOf(), { kind: 'died', step: '' });
});

test('the first failure decides', (t) => {
  const failure = { step: 'exec', errno: 2, subject: 'nosuch' };
  t.deepEqual(
    outcomeOf(
      '{"step":"exec","t":2}\n',
      `${JSON.stringify({ fail: failure })}\n`,
      `${JSON.stringify({ fail: { step: 'ledger', errno: 5, subject: '' } })}\n`,
    ),
    { kind: 'failed', failure },
  );
});

test('a report fd is read to its end, steps are told as they come', async (t) => {
  const native = loadNative();
  const [reader, writer] = native.pipe();
  writeSync(writer, '{"step":"log","t":10}\n{"pid":7}\n{"step":"exec","t":20}\n');
  closeSync(writer);
  const steps: [string, number][] = [];
  t.deepEqual(await readReport(reader, (...step) => steps.push(step)), { kind: 'running' });
  t.deepEqual(steps, [
    ['log', 10],
    ['exec', 20],
  ]);
  closeSync(reader);
});
