/** Exit codes: the program's own, 125, 126, 127 and 128 + n. */
import type { GoldenCase } from './case.js';

const SLEEPER = `run -d --name c1 busybox sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done'\nsaid c1 ready`;

export const EXITS: readonly GoldenCase[] = [
  { title: 'exit 0', run: 'run --rm busybox true' },
  { title: 'exit 1', run: 'run --rm busybox false' },
  {
    title: 'exit 42 with output on both streams',
    run: `run --rm busybox sh -c 'echo out; echo err >&2; exit 42'`,
  },
  { title: 'exit 255', run: `run --rm busybox sh -c 'exit 255'` },
  { title: '127: command not in PATH', run: 'run --rm busybox nosuch' },
  { title: '127: path that is not there', run: 'run --rm busybox /no/such' },
  { title: '127: relative path that is not there', run: 'run --rm busybox ./nosuch' },
  { title: '126: a directory', run: 'run --rm busybox /etc' },
  { title: '126: a file that is not executable', run: 'run --rm busybox /etc/passwd' },
  {
    title: 'a failed start leaves the container created, with the code',
    before: 'run --name c1 busybox nosuch || :',
    run: `docker inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.Running}}' c1`,
  },
  { title: '127 by -d: the id is out, the exit code is told', run: 'run -d --name c1 busybox nosuch' },
  { title: '125: unknown flag', run: 'run --nosuch busybox true' },
  { title: '125: unknown short flag', run: 'run -Z busybox true' },
  { title: '125: image that is not here', run: 'run --pull never nosuch:1 true' },
  { title: '125: unknown network', run: 'docker run --rm --network nosuch busybox true' },
  { title: '125: unknown user', run: 'run --rm -u nosuch busybox true' },
  { title: '125: unknown group', run: 'run --rm -u root:nosuch busybox true' },
  { title: '125: uid out of range', run: 'run --rm -u 4294967296 busybox true' },
  { title: '125: name taken', before: 'create --name c1 busybox', run: 'run --name c1 busybox true' },
  { title: '125: bad name', run: 'run --name a busybox true' },
  { title: '125: bad character in a name', run: 'run --name a/b busybox true' },
  { title: '125: relative working directory', run: 'run --rm -w rel busybox true' },
  { title: '125: working directory is a file', run: 'run --rm -w /etc/passwd busybox true' },
  { title: '125: no command', run: `run --rm --entrypoint '' busybox` },
  { title: '125: relative volume target', run: 'run --rm -v /tmp:rel busybox true' },
  { title: '125: volume name with bad characters', run: 'run --rm -v a/b:/x busybox true' },
  { title: '125: volume with a bad option', run: 'run --rm -v vol:/x:nosuch busybox true' },
  { title: '125: volume target /', run: 'run --rm -v /tmp:/ busybox true' },
  { title: '125: too many colons in a volume', run: 'run --rm -v /a:/b:ro:rw busybox true' },
  { title: '125: bad environment variable', run: 'run --rm -e =x busybox true' },
  { title: '125: env-file that is not there', run: 'run --rm --env-file /nosuch/env busybox true' },
  {
    title: '125: env-file with a blank in a name',
    before: `echo 'a b=c' > $T/env`,
    run: 'run --rm --env-file $T/env busybox true',
  },
  { title: '125: reference in upper case', run: 'run --rm BusyBox true' },
  {
    title: '137: killed',
    before: 'run -d --name c1 busybox sleep 100\ndocker kill c1',
    run: 'docker wait c1',
  },
  {
    title: '143: PID 1 dies of a signal it sends through a child',
    run: `run --rm busybox sh -c 'sh -c "kill -TERM \\$\\$"; exit $?'`,
  },
  {
    title: '130: killed by SIGINT',
    before: `run -d --name c1 busybox sh -c 'trap "exit 130" INT; echo ready; while :; do sleep 0.1; done'\nsaid c1 ready\ndocker kill -s INT c1`,
    run: 'docker wait c1',
  },
  {
    title: 'a handler decides the exit code',
    before: `${SLEEPER}\ndocker kill -s TERM c1`,
    run: 'docker wait c1',
  },
  {
    title: 'PID 1 ignores its own kill -9',
    run: `run --rm busybox sh -c 'kill -9 $$; echo alive'`,
  },
  {
    title: 'start -a gives the exit code',
    before: `create --name c1 busybox sh -c 'echo again; exit 9'`,
    run: 'docker start -a c1',
  },
];
