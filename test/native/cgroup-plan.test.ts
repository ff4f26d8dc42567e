/** The writes that resources come to, on every kind of machine; nothing is written. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const work = mkdtempSync(join(tmpdir(), 'tsrun-cgroup-plan-'));
const planner = join(work, 'plan');

test.serial.before(() => {
  const built = join(root, 'build/Release/obj.target/tsrun-runtime/native/runtime');
  const objects = readdirSync(built)
    .filter((name) => name.endsWith('.o'))
    .map((name) => join(built, name));
  const flags = ['-std=c++20', '-Inative', '-static', '-o', planner, 'test/native/cgroup_plan.cc'];
  execFileSync('g++', [...flags, ...objects, '-lseccomp'], { cwd: root });
});
test.after.always(() => rmSync(work, { recursive: true, force: true }));

function plan(resources: object, ...kind: string[]): string[] {
  const out = execFileSync(planner, kind, { input: JSON.stringify(resources), encoding: 'utf8' });
  return out.trim().split('\n').filter(Boolean);
}

const device = { major: 8, minor: 16 };
const MIB = 1 << 20;

test('memory', (t) => {
  const memory = {
    limit: 64 * MIB,
    swap: 96 * MIB,
    reservation: 32 * MIB,
    kernel: 5,
    kernelTCP: 5,
    useHierarchy: true,
  };
  t.deepEqual(plan({ memory: { ...memory, swappiness: 0, disableOOMKiller: true } }, 'v1'), [
    'memory.swappiness=0',
    'memory.oom_control=1',
    `memory.limit_in_bytes=${64 * MIB}`,
    `memory.memsw.limit_in_bytes=${96 * MIB}`,
    `memory.soft_limit_in_bytes=${32 * MIB}`,
  ]);
  t.deepEqual(plan({ memory }, 'v2'), [
    `memory.max=${64 * MIB}`,
    `memory.swap.max=${32 * MIB}`,
    `memory.low=${32 * MIB}`,
  ]);
  t.regex(plan({ memory: { swappiness: 1 } }, 'v2').join(), /memory.swappiness: cgroup v2 does not have/);
  t.regex(
    plan({ memory: { disableOOMKiller: true } }, 'v2').join(),
    /disableOOMKiller: cgroup v2 does not have/,
  );
  t.deepEqual(plan({ memory: { disableOOMKiller: false } }, 'v2'), []);
  const checked = { limit: 4_000_000, checkBeforeUpdate: true };
  t.regex(plan({ memory: checked }, 'v2').join(), /uses 5000000 bytes, more than the new limit/);
  t.is(plan({ memory: { ...checked, limit: 6_000_000 } }, 'v2').length, 1);
});

test('cpu', (t) => {
  const cpu = {
    shares: 2048,
    quota: 50_000,
    period: 100_000,
    burst: 10_000,
    idle: 1,
    cpus: '0-1',
    mems: '0',
  };
  const realtime = { realtimePeriod: 1_000_000, realtimeRuntime: 9_000 };
  t.deepEqual(plan({ cpu: { ...cpu, ...realtime } }, 'hybrid'), [
    'cpuset.cpus=0-1',
    'cpuset.mems=0',
    'cpu.rt_period_us=1000000',
    'cpu.rt_runtime_us=9000',
    'cpu.shares=2048',
    'cpu.cfs_period_us=100000',
    'cpu.cfs_quota_us=50000',
    'cpu.cfs_burst_us=10000',
    'cpu.idle=1',
  ]);
  t.deepEqual(plan({ cpu }, 'v2'), [
    'cpuset.cpus=0-1',
    'cpuset.mems=0',
    'cpu.weight=174',
    'cpu.idle=1',
    'cpu.max=50000 100000',
    'cpu.max.burst=10000',
  ]);
  t.regex(plan({ cpu: realtime }, 'v2').join(), /realtimeRuntime: cgroup v2 does not have/);
});

test('block devices', (t) => {
  const blockIO = {
    weight: 500,
    weightDevice: [{ ...device, weight: 10, leafWeight: 20 }],
    throttleReadBpsDevice: [{ ...device, rate: 1000 }],
    throttleWriteBpsDevice: [{ ...device, rate: 0 }],
    throttleReadIOPSDevice: [{ ...device, rate: 30 }],
    throttleWriteIOPSDevice: [{ ...device, rate: 40 }],
  };
  t.deepEqual(plan({ blockIO: { ...blockIO, leafWeight: 300 } }, 'v1'), [
    'blkio.weight=500',
    'blkio.leaf_weight=300',
    'blkio.weight_device=8:16 10',
    'blkio.leaf_weight_device=8:16 20',
    'blkio.throttle.read_bps_device=8:16 1000',
    'blkio.throttle.write_bps_device=8:16 0',
    'blkio.throttle.read_iops_device=8:16 30',
    'blkio.throttle.write_iops_device=8:16 40',
  ]);
  const v2 = { ...blockIO, weightDevice: [{ ...device, weight: 1000 }] };
  const throttles = ['rbps=1000', 'wbps=max', 'riops=30', 'wiops=40'].map((text) => `io.max=8:16 ${text}`);
  t.deepEqual(plan({ blockIO: v2 }, 'v2'), ['io.weight=4950', 'io.weight=8:16 10000', ...throttles]);
  t.deepEqual(plan({ blockIO: v2 }, 'v2', 'bfq'), [
    'io.bfq.weight=500',
    'io.bfq.weight=8:16 1000',
    ...throttles,
  ]);
  t.regex(plan({ blockIO: { leafWeight: 300 } }, 'v2').join(), /leafWeight: cgroup v2 does not have/);
});

test('huge pages, network, rdma, pids and the unified map', (t) => {
  const resources = {
    hugepageLimits: [{ pageSize: '2MB', limit: 4 * MIB }],
    rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10000 }, none: {} },
    pids: { limit: -1 },
  };
  const network = { classID: 0x100001, priorities: [{ name: 'eth0', priority: 5 }] };
  const rest = [
    'net_cls.classid=1048577',
    'net_prio.ifpriomap=eth0 5',
    'rdma.max=mlx5_1 hca_handle=3 hca_object=10000',
  ];
  const v1 = ['hugetlb.2MB.limit_in_bytes', 'hugetlb.2MB.rsvd.limit_in_bytes'].map(
    (file) => `${file}=${4 * MIB}`,
  );
  const v2 = ['hugetlb.2MB.max', 'hugetlb.2MB.rsvd.max'].map((file) => `${file}=${4 * MIB}`);
  t.deepEqual(plan({ ...resources, network }, 'v1'), ['pids.max=max', ...v1, ...rest]);
  t.deepEqual(plan({ ...resources, network }, 'hybrid'), ['pids.max=max', ...v2, ...rest]);
  t.deepEqual(plan({ ...resources, unified: { 'memory.high': '7' } }, 'v2'), [
    'pids.max=max',
    ...v2,
    rest[2],
    'memory.high=7',
  ]);
  t.regex(plan({ network }, 'v2').join(), /net_cls: .* not available here/);
  t.regex(plan({ unified: { 'memory.high': '7' } }, 'v1').join(), /no cgroup v2 hierarchy/);
  t.regex(
    plan({ hugepageLimits: [{ pageSize: '2/MB', limit: 1 }] }, 'v2').join(),
    /not the name of a cgroup file/,
  );
});
