/** update, and health checks. */
import type { GoldenCase } from './case.js';

const RUNNING = 'run -d -m 64m --name c1 busybox sleep 100';
const WITHIN = `docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.CpuShares}} {{.HostConfig.NanoCpus}}' c1`;
const HEALTH = `docker inspect -f '{{json .Config.Healthcheck}} {{.State.Health.Status}} {{len .State.Health.Log}}' c1`;
const awaits = (status: string) =>
  `until [ "$(docker inspect -f '{{.State.Health.Status}}' c1)" = ${status} ]; do sleep 0.1; done`;

export const UPDATE: readonly GoldenCase[] = [
  { title: 'update of nothing', before: RUNNING, run: 'docker update c1' },
  { title: 'update without a container', run: 'docker update -m 64m' },
  { title: 'update of what is not there', run: 'docker update --cpu-shares 512 nosuch' },
  {
    title: 'update of limits',
    before: RUNNING,
    run: `docker update -m 128m --memory-swap 256m --cpu-shares 512 --cpus 0.5 c1; ${WITHIN}`,
  },
  { title: 'update of memory within the swap', before: RUNNING, run: `docker update -m 100m c1; ${WITHIN}` },
  { title: 'update of memory beyond the swap', before: RUNNING, run: `docker update -m 256m c1; ${WITHIN}` },
  {
    title: 'update of memory where there was no limit',
    before: 'create --name c1 busybox',
    run: `docker update -m 64m c1; ${WITHIN}`,
  },
  {
    title: 'update of two, one not there',
    before: 'create --name c1 busybox\ncreate --name c2 busybox',
    run: 'docker update --pids-limit 50 c2 nosuch c1',
  },
  { title: 'update of less memory than there may be', before: RUNNING, run: 'docker update -m 1m c1' },
  { title: 'update of more CPUs than there are', before: RUNNING, run: 'docker update --cpus 99 c1' },
  { title: 'update of CPUs that are not there', before: RUNNING, run: 'docker update --cpuset-cpus 77 c1' },
  {
    title: 'update of a quota beside --cpus',
    before: 'create --cpus 1 --name c1 busybox',
    run: 'docker update --cpu-quota 20000 c1',
  },
  { title: 'update with a size that is none', before: RUNNING, run: 'docker update -m 1x c1' },
  {
    title: 'update of the restart policy',
    before: RUNNING,
    run: `docker update --restart on-failure:3 c1; docker inspect -f '{{json .HostConfig.RestartPolicy}}' c1`,
  },
  { title: 'update to an unknown policy', before: RUNNING, run: 'docker update --restart bogus c1' },
  {
    title: 'update to a policy with a count too many',
    before: RUNNING,
    run: 'docker update --restart always:3 c1',
  },
  {
    title: 'update --restart of a --rm container',
    before: 'run -d --rm --name c1 busybox sleep 100',
    run: 'docker update --restart always c1; docker update --restart no c1',
  },
  {
    title: 'restart of a --rm container',
    before: 'run -d --rm --name c1 busybox sleep 100',
    run: `docker restart -t 0 c1; docker inspect -f '{{.State.Status}}' c1`,
  },
  {
    title: 'health: starting',
    before: `run -d --health-cmd 'test -e /ok' --name c1 busybox sleep 100`,
    run: HEALTH,
  },
  {
    title: 'health: unhealthy, its streak and its output',
    before: `run -d --health-cmd 'echo words; exit 3' --health-interval 100ms --health-retries 1 --name c1 busybox sleep 100\n${awaits('unhealthy')}`,
    run: `docker inspect -f '{{with index .State.Health.Log 0}}{{.ExitCode}} {{.Output}}{{end}}' c1; docker ps -q --filter health=healthy; docker ps --filter health=unhealthy --format '{{.Names}}'`,
  },
  {
    title: 'health: too slow',
    before: `run -d --health-cmd 'sleep 50' --health-interval 100ms --health-timeout 1500ms --health-retries 1 --name c1 busybox sleep 100\n${awaits('unhealthy')}`,
    run: `docker inspect -f '{{with index .State.Health.Log 0}}{{.ExitCode}} {{.Output}}{{end}}' c1`,
  },
  {
    title: 'health: of a stopped one',
    before: `run -d --health-cmd true --health-interval 100ms --name c1 busybox sleep 100\n${awaits('healthy')}\ndocker stop -t 0 c1`,
    run: `docker inspect -f '{{.State.Health.Status}} {{.State.Health.FailingStreak}}' c1; docker ps -aq --filter health=healthy; docker ps -a --filter health=unhealthy --format '{{.Names}}'`,
  },
  {
    title: 'health: --no-healthcheck with a check',
    run: 'run --no-healthcheck --health-cmd true --name c1 busybox true',
  },
];
