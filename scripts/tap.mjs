// Reads TAP of ava on stdin, prints one line a test (details of the failed ones), and counts.
//   ava --tap | node scripts/tap.mjs COUNTS_FILE     adds {passed, failed, skipped} to the JSON in COUNTS_FILE
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const countsFile = process.argv[2];
const counts = existsSync(countsFile)
  ? JSON.parse(readFileSync(countsFile, 'utf8'))
  : { passed: 0, failed: 0, skipped: 0 };
let failing = false;
// The failed ones are told twice: where they happened, and again below, where a reader of a long log looks first.
const failures = [];
const tell = (line) => {
  failures.push(line);
  process.stdout.write(line);
};
for await (const line of createInterface({ input: process.stdin })) {
  const test = /^(not )?ok \d+ - (.*)$/.exec(line);
  if (test) {
    const skipped = / # (SKIP|TODO)/i.test(test[2]);
    failing = Boolean(test[1]) && !skipped;
    counts[skipped ? 'skipped' : failing ? 'failed' : 'passed'] += 1;
    if (failing) tell(`  ✗ ${test[2]}\n`);
    else process.stdout.write(`${skipped ? '  -' : '  ✓'} ${test[2]}\n`);
  } else if (failing || /^Bail out!/.test(line)) {
    tell(`    ${line}\n`);
  }
}
if (failures.length > 0) process.stdout.write(`==> what failed\n${failures.join('')}`);
writeFileSync(countsFile, JSON.stringify(counts));
