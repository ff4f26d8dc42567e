/**
 * Whole plans as text. A difference is a change of what every container gets: look at it, then write the files anew
 * with TSRUN_UPDATE_GOLDEN=1.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { PlanInput } from '../../src/plan/input.js';
import { planRun } from '../../src/plan/run.js';
import { planInput } from '../helpers/plan-input.js';

const DIR = fileURLToPath(new URL('golden', import.meta.url));

/** The long list of system calls has its own test: here only the rules' shape is kept. */
function shown(input: PlanInput): string {
  const plan = planRun(input);
  const rules = plan.spec.linux.seccomp?.syscalls ?? [];
  const shortRules = rules.map(({ names, ...rest }) => ({
    names: names.length > 8 ? `${names.length} names` : names,
    ...rest,
  }));
  const spec = {
    ...plan.spec,
    linux: { ...plan.spec.linux, seccomp: { ...plan.spec.linux.seccomp, syscalls: shortRules } },
  };
  const { hostConfig: _, ...rest } = plan;
  return `${JSON.stringify({ ...rest, spec }, null, 1)}\n`;
}

function golden(name: string, input: () => PlanInput): void {
  test(name, (t) => {
    const file = join(DIR, `${name.replaceAll(' ', '-')}.json`);
    const text = shown(input());
    if (process.env.TSRUN_UPDATE_GOLDEN === '1') writeFileSync(file, text);
    t.is(text, readFileSync(file, 'utf8'));
  });
}

golden('run busybox', () => planInput({}));

golden('run an interactive shell with volumes as a user', () =>
  planInput(
    {
      interactive: true,
      tty: true,
      rm: true,
      name: 'shell',
      user: 'app:staff',
      workdir: '/srv',
      hostname: 'box.lan',
      env: ['LANG=C', 'SECRET'],
      label: ['tier=dev'],
      volume: ['/src:/srv:ro', 'cache:/srv/cache', '/scratch'],
      consoleSize: { rows: 24, cols: 80 },
      command: ['/bin/bash', '-l'],
    },
    {
      Env: ['PATH=/bin', 'SECRET=1', 'LANG=en'],
      Entrypoint: ['/entry'],
      Cmd: ['serve'],
      Volumes: { '/var/lib/data': {} },
      ExposedPorts: { '6379/tcp': {} },
      Labels: { tier: 'image', by: 'us' },
      StopSignal: 'SIGINT',
    },
  ),
);

golden('run detached on the network of the host', () =>
  planInput(
    { detach: true, network: 'host', entrypoint: 'sleep', command: ['9'] },
    { Cmd: ['sh'] },
    {
      arch: 'arm64',
      kernel: { major: 5, minor: 10, release: '5.10.0' },
      capabilities: ['CAP_CHOWN', 'CAP_KILL'],
      hardLimits: { nofile: 512, core: 0 },
      oomScoreAdj: 100,
      hasNft: false,
      thermalThrottlePaths: [],
    },
  ),
);
