/** What security flags make of a container: capabilities, filters, masks, groups, devices. */
import type { GoldenCase } from './case.js';

/** Docker 20.10 knows capabilities up to the 37th: the lower 32 bits. */
const CAPS = `sh -c 'grep ^Cap /proc/self/status | sed "s/\\t.*\\(.\\{8\\}\\)$/ \\1/"'`;
const STATUS = `sh -c 'grep -E "^(CapEff|NoNewPrivs|Seccomp:)" /proc/self/status'`;
/** Letters in any order mean the same; 10:200 is what later versions of runc leave out. */
const RULES = `sh -c 'grep -v "10:200" /sys/fs/cgroup/devices/devices.list'`;

const PROFILE = JSON.stringify({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [
    { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 30 },
    { name: 'chmod', action: 'SCMP_ACT_ERRNO', args: [] },
    { names: ['fchmodat'], action: 'SCMP_ACT_ERRNO' },
    { names: ['sethostname'], action: 'SCMP_ACT_ERRNO', excludes: { caps: ['CAP_SYS_ADMIN'] } },
  ],
});

/** What a long command looks at. */
const SEEN = { capabilities: CAPS, devices: RULES, filter: 'Seccomp:' };

const run = (flags: string, command: string, more: Partial<GoldenCase> = {}): GoldenCase => ({
  title: `${flags}: ${Object.entries(SEEN).find(([, seen]) => command.includes(seen))?.[0] ?? command}`,
  run: `run --rm ${flags} busybox ${command}`,
  ...more,
});
const inspected = (flags: string, fields: string, more: Partial<GoldenCase> = {}): GoldenCase => ({
  title: `${flags}: in inspect`,
  before: `create --name c1 ${flags} busybox`,
  run: `docker inspect -f '${fields}' c1`,
  ...more,
});

const CASES: readonly GoldenCase[] = [
  ...[
    '--cap-add net_admin --cap-add CAP_SYS_TIME',
    '--cap-drop ALL --cap-add chown',
    '--privileged -u 1000',
  ].map((flags) => run(flags, CAPS)),
  ...[
    '--cap-add NET_ADMIN',
    '--cap-drop NET_RAW',
    '--cap-drop all',
    '--cap-add ALL',
    '--cap-add ALL --cap-drop MKNOD',
    '--cap-add NET_RAW --cap-drop NET_RAW',
    '--privileged --cap-drop MKNOD',
    '--cap-add NET_ADMIN -u 1000',
  ].map((flags) => run(flags, CAPS)),
  ...[
    run('--cap-add NET_ADMIN,SYS_TIME', 'true'),
    run('--cap-drop NOSUCH', 'true'),
    run("--cap-add ''", 'true'),
    inspected('--cap-add all --cap-drop ALL', '{{.HostConfig.CapAdd}} {{.HostConfig.CapDrop}}'),
  ],
  inspected('--cap-add net_admin --cap-drop CAP_CHOWN', '{{.HostConfig.CapAdd}} {{.HostConfig.CapDrop}}'),

  run('--privileged --security-opt no-new-privileges', STATUS.replace('CapEff|', '')),
  run('--privileged', RULES),
  ...[
    run('--privileged', STATUS.replace('CapEff|', '')),
    run(
      '--privileged',
      `sh -c 'echo x > /proc/sys/nosuch; mkdir /m && mount -t tmpfs none /m && echo mounted'`,
    ),
    inspected(
      '--privileged',
      '{{.HostConfig.Privileged}} {{.HostConfig.SecurityOpt}} {{.HostConfig.MaskedPaths}} {{.HostConfig.ReadonlyPaths}}',
    ),
  ],

  run('--security-opt no-new-privileges -u 1000', STATUS),
  run('--security-opt seccomp=unconfined', STATUS),
  ...[
    run('--security-opt no-new-privileges', STATUS),
    run('--security-opt no-new-privileges=true', STATUS),
    run('--security-opt no-new-privileges:true', STATUS),
    run('--security-opt no-new-privileges=false', STATUS),
    run('--security-opt no-new-privileges=maybe', 'true'),
    run('--security-opt seccomp:unconfined', STATUS),
    run('--security-opt seccomp=', 'true'),
    run('--security-opt apparmor=unconfined', 'true'),
    run('--security-opt apparmor=mine', 'true'),
    run('--security-opt label=type:mine_t', 'true'),
    run('--security-opt label=disable', 'true'),
    run('--security-opt label:disable', 'true'),
    run('--security-opt systempaths=x', 'true'),
    run('--security-opt nosuch=x', 'true'),
    run(
      '--security-opt systempaths=unconfined',
      `sh -c 'grep -c " /proc/" /proc/mounts; grep Seccomp: /proc/self/status'`,
    ),
    {
      title: '--security-opt seccomp=FILE: in inspect',
      before: `printf '%s' '${PROFILE}' > $T/profile.json\ncreate --name c1 --security-opt seccomp=$T/profile.json busybox`,
      run: `docker inspect -f '{{.HostConfig.SecurityOpt}}' c1`,
    },
    {
      title: '--security-opt seccomp=FILE: no JSON',
      before: `printf '{bad' > $T/bad.json`,
      run: 'run --rm --security-opt seccomp=$T/bad.json busybox true',
    },
  ],
  {
    title: '--security-opt seccomp=FILE: names, errors and conditions of the profile',
    before: `printf '%s' '${PROFILE}' > $T/profile.json`,
    run: `run --rm --security-opt seccomp=$T/profile.json busybox sh -c 'mkdir /x; chmod 1 /etc; hostname x; cat /proc/self/status | grep Seccomp:'`,
  },
  inspected(
    '--security-opt systempaths=unconfined --security-opt no-new-privileges --security-opt label=disable',
    '{{json .HostConfig.SecurityOpt}} {{json .HostConfig.MaskedPaths}} {{json .HostConfig.ReadonlyPaths}}',
  ),

  run('--group-add 55 --group-add tty', 'id -G'),
  run('--group-add users -u www-data', 'id'),
  ...[
    run('--group-add 55 -u 1000:1001', 'id'),
    run('--group-add nosuch', 'true'),
    inspected('--group-add 55 --group-add tty', '{{.HostConfig.GroupAdd}}'),
  ],
  run('--group-add 4294967296', 'true'),

  run('', RULES, { title: 'rules of the device cgroup', unordered: true }),
  run(`--device-cgroup-rule 'c 42:* rwm' --device-cgroup-rule 'b 7:1 r'`, RULES, { unordered: true }),
  ...[
    run(`--device-cgroup-rule 'a *:* rwm'`, RULES),
    run(`--device /dev/zero:/dev/other:r --device /dev/loop0:/dev/disk`, RULES, { unordered: true }),
    ...["'c 42'", "'x 1:3 rwm'", "'c 1:3 x'", "''", "'c 1:3'"].map((rule) =>
      run(`--device-cgroup-rule ${rule}`, 'true'),
    ),
    inspected(`--device-cgroup-rule 'c 42:* rwm'`, '{{.HostConfig.DeviceCgroupRules}}'),
    run('--userns host', `sh -c 'cat /proc/self/uid_map | tr -s " "'`),
    run('--userns nosuch', 'true'),
  ],
  {
    title: 'exec --privileged: all capabilities, the same filter',
    before: 'run -d --name c1 busybox sleep 100',
    run: `docker exec --privileged c1 ${CAPS}; docker exec --privileged c1 grep Seccomp: /proc/self/status; docker exec c1 ${STATUS}`,
  },
  {
    title: 'exec in a container with other rights has those',
    before:
      'run -d --name c1 --cap-drop all --cap-add kill --security-opt no-new-privileges --group-add 77 busybox sleep 100',
    run: `docker exec c1 ${STATUS}; docker exec c1 ${CAPS}; docker exec c1 id -G; docker exec -u 33 c1 id`,
  },
];

/** One of each kind; the others run when GOLDEN asks for them. */
const ALWAYS = [
  '--cap-drop ALL --cap-add chown: capabilities',
  '--privileged -u 1000: capabilities',
  '--privileged: devices',
  '--security-opt no-new-privileges -u 1000: filter',
  '--security-opt seccomp=FILE: names, errors and conditions of the profile',
  '--security-opt systempaths=unconfined --security-opt no-new-privileges --security-opt label=disable: in inspect',
  '--group-add users -u www-data: id',
  '--group-add 4294967296: true',
  'rules of the device cgroup',
  'exec --privileged: all capabilities, the same filter',
  'exec in a container with other rights has those',
];

export const SECURITY: readonly GoldenCase[] = CASES.map((each) =>
  ALWAYS.includes(each.title) ? each : { ...each, rare: true },
);
