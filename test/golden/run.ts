/** What run and create make of their flags, as the program inside sees it. */
import type { GoldenCase } from './case.js';

export const RUN: readonly GoldenCase[] = [
  { title: 'environment of a program', run: 'run --rm -h box busybox env' },
  {
    title: '-e K=V, K from the client, K that the client lacks',
    run: 'run --rm -h box -e A=1 -e HOST_VALUE -e NOT_THERE -e EMPTY= busybox sh -c "env | sort"',
  },
  { title: '-e K without a value removes the image’s', run: `run --rm -h box -e PATH= busybox /bin/env` },
  {
    title: '--env-file: comments, quotes, bare names',
    before: `printf '# no\\n  A=1\\nB="q"\\nHOST_VALUE\\nGONE\\nE=\\n' > $T/env`,
    run: 'run --rm -h box --env-file $T/env -e A=2 busybox env',
  },
  { title: 'user by name', run: 'run --rm -u www-data busybox id' },
  { title: 'user by number without an entry', run: `run --rm -u 1234 busybox sh -c 'id; echo $HOME'` },
  { title: 'user and group by number', run: 'run --rm -u 1000:100 busybox id' },
  { title: 'a colon alone is root', run: 'run --rm -u : busybox id' },
  {
    title: 'working directory is made',
    run: `run --rm -w /made/here busybox sh -c 'pwd; stat -c "%a %u" .'`,
  },
  { title: 'hostname with a dot', run: 'run --rm -h a.b busybox hostname' },
  { title: 'hosts file without a network', run: 'run --rm -h box busybox cat /etc/hosts' },
  { title: 'interfaces without a network', run: 'run --rm busybox ls /sys/class/net' },
  { title: 'entrypoint takes the arguments', run: 'run --rm --entrypoint echo busybox x y' },
  { title: 'stdin is at its end without -i', run: 'echo unseen | run --rm busybox cat' },
  { title: 'stdin through -i', run: 'echo seen | run --rm -i busybox cat' },
  {
    title: 'half-closed stdin',
    run: `printf 'twelve bytes' | run --rm -i busybox sh -c 'wc -c; echo after'`,
  },
  { title: '-it without a terminal', run: 'run --rm -it busybox true' },
  {
    title: 'a terminal without stdin: streams merge, lines end in CR LF',
    run: `run --rm -t busybox sh -c 'echo out; echo err >&2; echo $TERM' | od -c`,
  },
  {
    title: 'devices',
    run: `run --rm busybox sh -c "stat -c '%A %U %G %t:%T %N' /dev/*"`,
    unordered: true,
  },
  {
    title: 'limits of /proc: masked and read-only paths',
    run: `run --rm busybox sh -c 'cat /proc/kcore | wc -c; ls /proc/acpi /sys/firmware; echo x > /proc/sysrq-trigger'`,
  },
  {
    title: 'file systems',
    run: `run --rm busybox sh -c 'cut -d " " -f 2,3 /proc/mounts | grep -v "/proc/\\|/sys/\\|/etc/"'`,
    unordered: true,
  },
  {
    title: 'capabilities and seccomp',
    run: `run --rm busybox grep -E '^(Cap|Seccomp:|NoNewPrivs)' /proc/self/status`,
  },
  { title: 'capabilities of a user', run: `run --rm -u 1 busybox grep -E '^Cap' /proc/self/status` },
  { title: 'umask and limits of files', run: `run --rm busybox sh -c 'umask; ulimit -c'` },
  {
    title: 'anonymous volume: owner and mode of the image’s directory',
    run: `run --rm -v /var/www busybox stat -c '%a %u' /var/www`,
  },
  {
    title: 'named volume is filled from the image and kept',
    before: 'run --rm -v golden-a:/etc busybox true',
    run: 'run --rm -v golden-a:/v busybox sh -c "ls /v; head -1 /v/passwd"',
    after: 'docker volume rm golden-a',
  },
  {
    title: 'bind mount, read-only',
    before: 'mkdir -p $T/bind; echo in > $T/bind/file',
    run: `run --rm -v $T/bind:/b:ro busybox sh -c 'cat /b/file; echo x > /b/file'`,
  },
  {
    title: 'bind source that is missing is made',
    run: 'run --rm -v $T/made:/b busybox true; stat -c "%F %a" $T/made',
  },
  {
    title: 'the container’s own name is its id',
    run: `run --rm busybox sh -c 'hostname | tr -d "\\n" | wc -c'`,
  },
  { title: 'pid 1', run: `run --rm busybox sh -c 'echo $$; ls -d /proc/[0-9]* | head -1'` },
  { title: 'run -d prints the id', run: 'run -d --name c1 busybox sleep 100' },
  {
    title: 'run -d --rm: gone after its end',
    before: `run -d --rm --name c1 busybox sh -c 'sleep 0.2'\nwhile docker inspect c1; do sleep 0.1; done`,
    run: 'docker inspect c1',
  },
  { title: 'run -d with -a', run: 'run -d -a stdout busybox true' },
  {
    title: 'run --rm leaves nothing, also when the start failed',
    before: 'run --rm --name c1 busybox nosuch || :',
    run: 'docker rm c1',
  },
  {
    title: 'arguments reach the program as they are',
    run: `run --rm busybox printf '%s|' a 'b c' '' '*' '$x' -n --rm`,
  },
  { title: '-- ends the flags', run: 'docker run --rm --network none -- busybox echo -x' },
  { title: 'flags in one word and with =', run: 'docker run --rm=true --network=none -w=/tmp busybox pwd' },
];
