// Reads TAP of ava on stdin, prints one line a test (details of the failed ones), and counts.
//   ava --tap | node scripts/tap.mjs COUNTS_FILE     adds {passed, failed, skipped} to the JSON in COUNTS_FILE
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const countsFile = process.argv[2];
const counts = existsSync(countsFile)
  ? JSON.parse(readFileSync(countsFile, 'utf8'))
  : { passed: 0, failed: 0, skipped: 0 };
let failing = false;
for await (const line of createInterface({ input: process.stdin })) {
  const test = /^(not )?ok \d+ - (.*)$/.exec(line);
  if (test) {
    const skipped = / # (SKIP|TODO)/i.test(test[2]);
    failing = Boolean(test[1]) && !skipped;
    counts[skipped ? 'skipped' : failing ? 'failed' : 'passed'] += 1;
    process.stdout.write(`${failing ? '  ✗' : skipped ? '  -' : '  ✓'} ${test[2]}\n`);
  } else if (failing || /^Bail out!/.test(line)) {
    process.stdout.write(`    ${line}\n`);
  }
}
writeFileSync(countsFile, JSON.stringify(counts));
