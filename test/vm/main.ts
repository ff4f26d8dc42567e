/**
 * The tests that need another machine, in one: Debian's cloud kernel under emulation, pure cgroup v2, all capabilities.
 *   npm run test:vm                                isolation and limits (about a quarter of an hour on two cores)
 *   npm run test:vm -- test/e2e/exec.test.ts …     other tests
 *   npm run test:vm -- --run 'COMMAND'             anything else; its exit code is ours
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { builtAttacker } from '../helpers/arena.js';
import { projectDisk, requireEmulator, vmDisks } from './disks.js';

const TESTS = [
  'test/native/cgroup.test.ts',
  'test/native/hostile.test.ts',
  'test/e2e/attacks-*.test.ts',
  'test/e2e/flags.test.ts',
  'test/e2e/exec.test.ts',
];

/** @returns the exit code of the script, which runs as root in the project's directory */
async function boot(script: string): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-vm-run-'));
  try {
    const { kernel, initramfs, root } = vmDisks();
    const project = join(dir, 'project.img');
    projectDisk(project, script);
    const drive = (file: string, more: string) => ['-drive', `if=virtio,format=raw,file=${file}${more}`];
    const machine = [
      '-M',
      'q35',
      '-cpu',
      'max',
      '-smp',
      '2',
      '-m',
      '2048',
      '-nographic',
      '-no-reboot',
      '-nic',
      'none',
    ];
    const options = 'console=ttyS0 quiet loglevel=1 panic=-1 mitigations=off';
    const child = spawn(
      'qemu-system-x86_64',
      [
        ...machine,
        ...['-kernel', kernel, '-initrd', initramfs, '-append', options],
        ...drive(root, ',snapshot=on'),
        ...drive(project, ''),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let result: number | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      const [, code] = /^VM-RESULT (\d+)/.exec(line) ?? [];
      if (code === undefined) process.stdout.write(`${line.replaceAll('\r', '')}\n`);
      else result = Number(code);
    }
    if (result === undefined) throw new Error('the VM ended without a result');
    return result;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What the tests of `patterns` need beside the project: counts come as from scripts/test.sh. */
function testScript(patterns: readonly string[]): string {
  return `#!/bin/bash
export TSRUN_FIXTURES=/tsrun/fixtures TSRUN_VM=1
uname -r; grep cgroup /proc/mounts; cat /sys/fs/cgroup/cgroup.controllers
set -o pipefail
node node_modules/.bin/ava --tap --timeout=30m ${patterns.join(' ')} | node scripts/tap.mjs /tmp/counts
status=$?
node -p 'const c = JSON.parse(require("fs").readFileSync("/tmp/counts")); \`\${c.passed} passed, \${c.failed} failed, \${c.skipped} skipped\`'
exit $status
`;
}

const words = process.argv.slice(2);
requireEmulator();
builtAttacker();
const script =
  words[0] === '--run'
    ? `#!/bin/bash\n${words.slice(1).join(' ')}\n`
    : testScript(words.length > 0 ? words : TESTS);
process.exit(await boot(script));
