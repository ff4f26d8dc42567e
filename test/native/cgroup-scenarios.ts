/** What cgroup.test.ts runs, each in a mount namespace of its own: there the view of the hierarchies can be changed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { errnoOf } from '../../src/errors.js';
import { type HandMade, HandMadeStore, until } from '../helpers/hand-made.js';

interface Mount {
  path: string;
  v2: boolean;
  options: string[];
}

const mounts: Mount[] = readFileSync('/proc/self/mountinfo', 'utf8')
  .split('\n')
  .flatMap((line) => {
    const fields = line.split(' ');
    const type = fields[fields.indexOf('-') + 1];
    if (type !== 'cgroup' && type !== 'cgroup2') return [];
    return [{ path: fields[4] ?? '', v2: type === 'cgroup2', options: (fields.at(-1) ?? '').split(',') }];
  });
const v1Of = (controller: string): Mount | undefined =>
  mounts.find((m) => !m.v2 && m.options.includes(controller));
const v2 = mounts.find((m) => m.v2);

const shell = (script: string): string[] => ['/bin/busybox', 'sh', '-c', script];

interface Config {
  process: { capabilities: Record<string, string[]> };
  linux: { cgroupsPath: string; resources: object };
}

/** All containers of a scenario: none may outlive it, also when it fails. */
const made: HandMade[] = [];

function make(store: HandMadeStore, script: string, resources: object, caps: string[] = []): HandMade {
  const container = store.container(shell(script));
  made.push(container);
  const config = JSON.parse(readFileSync(container.paths.config, 'utf8')) as Config;
  config.linux.resources = { devices: [{ allow: false, access: 'rwm' }], ...resources };
  for (const set of ['bounding', 'effective', 'permitted']) config.process.capabilities[set]?.push(...caps);
  writeFileSync(container.paths.config, JSON.stringify(config));
  return container;
}

async function withStore(body: (store: HandMadeStore) => Promise<void>): Promise<void> {
  const store = new HandMadeStore();
  try {
    await body(store);
    for (const mount of mounts)
      if (existsSync(mount.path)) assert(!existsSync(`${mount.path}/tsrun/${store.tag}`), mount.path);
  } finally {
    for (const container of made) if (existsSync(container.paths.state)) await end(container);
    store.remove();
  }
}

/** Content of a control file of the container, in whichever hierarchy has the controller. */
function control(
  store: HandMadeStore,
  container: HandMade,
  controller: string,
  v1File: string,
  v2File: string,
): string {
  const mount = v1Of(controller);
  const root = mount?.path ?? v2?.path;
  const file = mount === undefined ? v2File : v1File;
  return readFileSync(`${root}/tsrun/${store.tag}/${container.id}/${file}`, 'utf8').trim();
}

async function end(container: HandMade): Promise<void> {
  // The state goes when everything else of the container's run is released.
  try {
    process.kill(container.state.pid, 'SIGKILL');
  } catch (error) {
    if (existsSync(container.paths.state)) assert.equal(errnoOf(error), 'ESRCH');
  }
  await until(() => !existsSync(container.paths.state));
}

const MiB = 1 << 20;

export const limits = (): Promise<void> =>
  withStore(async (store) => {
    const container = make(store, 'while :; do sleep 1000; done', {
      memory: { limit: 64 * MiB, swap: 64 * MiB, reservation: 32 * MiB },
      cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0' },
      pids: { limit: 50 },
    });
    const { records } = await container.start();
    assert.deepEqual(
      records.filter((record) => 'fail' in record),
      [],
    );
    const is = (
      controller: string,
      v1File: string,
      v2File: string,
      v1Value: string,
      v2Value = v1Value,
    ): void =>
      assert.equal(
        control(store, container, controller, v1File, v2File),
        v1Of(controller) === undefined ? v2Value : v1Value,
        `${v1File} or ${v2File}`,
      );
    is('memory', 'memory.limit_in_bytes', 'memory.max', String(64 * MiB));
    is('memory', 'memory.memsw.limit_in_bytes', 'memory.swap.max', String(64 * MiB), '0');
    is('memory', 'memory.soft_limit_in_bytes', 'memory.low', String(32 * MiB));
    is('pids', 'pids.max', 'pids.max', '50');
    is('cpu', 'cpu.shares', 'cpu.weight', '512', '59');
    is('cpu', 'cpu.cfs_quota_us', 'cpu.max', '50000', '50000 100000');
    is('cpuset', 'cpuset.cpus', 'cpuset.cpus', '0');
    for (const mount of mounts)
      assert.match(
        readFileSync(`${mount.path}/tsrun/${store.tag}/${container.id}/cgroup.procs`, 'utf8'),
        new RegExp(`^${container.state.pid}$`, 'm'),
        mount.path,
      );
    await end(container);
  });

export const outOfMemory = (): Promise<void> =>
  withStore(async (store) => {
    const container = make(store, 'exec dd if=/dev/zero of=/dev/null bs=200M count=1', {
      memory: { limit: 64 * MiB, swap: 64 * MiB },
    });
    const { client } = await container.start();
    assert.equal(await client.ended, 137);
    assert.equal(container.exit.oomKilled, true);
  });

/** A node can be made, but not opened. */
const DEVICES = `
mknod /tmp/mem c 1 1 && mknod /tmp/disk b 254 0 && mknod /tmp/null c 1 3 || exit 9
echo x > /tmp/null && head -c 1 /dev/urandom > /dev/null || exit 8
( : < /tmp/mem ) 2>/dev/null && exit 7
( : < /tmp/disk ) 2>/dev/null && exit 6
exit 0`;

async function deniesDevices(store: HandMadeStore): Promise<void> {
  const container = make(store, DEVICES, {}, ['CAP_MKNOD']);
  const { client, records } = await container.start();
  assert.equal(await client.ended, 0, client.text(2) + JSON.stringify(records.at(-1)));
}

export const devices = (): Promise<void> => withStore(deniesDevices);

/** The same kernel with only its v2 hierarchy to be seen: devices by a program, limits that nobody can enforce refused. */
export const onlyV2 = (): Promise<void> =>
  withStore(async (store) => {
    const hidden = mounts.filter((mount) => !mount.v2);
    for (const mount of hidden) execFileSync('umount', [mount.path]);
    await deniesDevices(store);
    if (v1Of('memory') === undefined) return;
    const refused = make(store, 'true', { memory: { limit: 64 * MiB } });
    const { client, records } = await refused.start();
    await client.ended;
    const failure = records.find((record) => 'fail' in record);
    assert(failure !== undefined && 'fail' in failure);
    assert.deepEqual([failure.fail.step, failure.fail.subject], ['cgroup.create', 'memory']);
    assert.match(failure.fail.detail ?? '', /"memory" is not available/);
  });

/** Without v2 there is no cgroup.kill and no event: the freezer and a loop do it. */
export const onlyV1 = (): Promise<void> =>
  withStore(async (store) => {
    if (v2 !== undefined) execFileSync('umount', [v2.path]);
    const container = make(store, 'sleep 1000 & sleep 1000 & while :; do sleep 1000; done', {});
    await container.start();
    process.kill(container.monitorPid, 'SIGKILL');
    assert.match(await container.recover(), /"recovered":true/);
    assert.equal(container.exit.exitCode, 137);
  });

/** A container can have made cgroups of its own, with processes that outlive its PID 1's namespace. */
export const nested = (): Promise<void> =>
  withStore(async (store) => {
    const container = make(store, 'while :; do sleep 1000; done', {});
    await container.start();
    for (const mount of mounts)
      mkdirSync(`${mount.path}/tsrun/${store.tag}/${container.id}/a/b`, { recursive: true });
    await end(container);
  });

export const badPath = (): Promise<void> =>
  withStore(async (store) => {
    const container = make(store, 'true', {});
    const config = JSON.parse(readFileSync(container.paths.config, 'utf8')) as Config;
    config.linux.cgroupsPath = `/tsrun/${store.tag}/../../up`;
    writeFileSync(container.paths.config, JSON.stringify(config));
    const { client, records } = await container.start();
    await client.ended;
    assert.match(JSON.stringify(records), /"step":"cgroup\.create"/);
  });
