import { readFileSync } from 'node:fs';
import test from 'ava';
import { isolated } from '../helpers/isolated.js';

const scenarios = new URL('./cgroup-scenarios.ts', import.meta.url);
const mountinfo = readFileSync('/proc/self/mountinfo', 'utf8');
const hasV1 = / - cgroup .*\bmemory\b/.test(mountinfo);
const hasV2 = / - cgroup2 /.test(mountinfo);

function scenario(title: string, name: string, needed = true): void {
  (needed ? test.serial : test.serial.skip)(title, async (t) => {
    await isolated(scenarios, name);
    t.pass();
  });
}

scenario('limits stand in the hierarchy that has their controller, the process is in every one', 'limits');
scenario('a process killed for memory is reported as such', 'outOfMemory');
scenario('a device node can be made but not opened', 'devices');
scenario('with only v2: devices by program, a limit without controller is an error', 'onlyV2', hasV2);
scenario('with only v1: a container without monitor is killed and its cgroups removed', 'onlyV1', hasV1);
scenario('cgroups made inside are removed with it', 'nested');
scenario('a cgroup path cannot lead out', 'badPath');
