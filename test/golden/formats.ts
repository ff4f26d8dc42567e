/** Tables, templates, filters and JSON of ps, inspect and images. */
import type { GoldenCase } from './case.js';

const THREE = `create --name c1 -l tier=one busybox echo hello
run --name c2 -l tier=two busybox sh -c 'exit 3' || :
run -d --name c3 busybox sleep 100`;

const inspect = (template: string) => `docker inspect -f '${template}' c1`;
const FULL = `create --name c1 -e A=1 -w /tmp -u 1:2 -h box -l k=v -v vol-golden:/v -v /anon -v /usr:/b:ro --entrypoint sh busybox -c true`;

export const FORMATS: readonly GoldenCase[] = [
  { title: 'ps: running ones', shared: THREE, run: 'docker ps' },
  { title: 'ps -a', shared: THREE, run: 'docker ps -a' },
  { title: 'ps -aq', shared: THREE, run: 'docker ps -aq' },
  { title: 'ps -l', shared: THREE, run: 'docker ps -l' },
  { title: 'ps -n 2', shared: THREE, run: 'docker ps -n 2' },
  { title: 'ps --no-trunc', shared: THREE, run: 'docker ps -a --no-trunc' },
  { title: 'ps: a header alone', run: 'docker ps' },
  {
    title: 'ps: a template',
    shared: THREE,
    run: `docker ps -a --format '{{.Names}}: {{.Image}} {{.Command}} {{.State}} {{.Status}}'`,
  },
  {
    title: 'ps: a table',
    shared: THREE,
    run: `docker ps -a --format 'table {{.Names}}\\t{{.Image}}\\t{{.Status}}'`,
  },
  {
    title: 'ps: labels',
    shared: THREE,
    run: `docker ps -a --format '{{.Names}} {{.Labels}} {{.Label "tier"}}'`,
  },
  {
    title: 'ps: functions',
    shared: THREE,
    run: `docker ps -a --format '{{upper .Names}} {{len .ID}} {{if eq .Names "c1"}}yes{{else}}no{{end}} {{printf "%q" .Image}} {{join (split .Names "") "-"}}'`,
  },
  { title: 'ps: filter by name', shared: THREE, run: `docker ps -a --filter name=c2 --format '{{.Names}}'` },
  {
    title: 'ps: filter by two names',
    shared: THREE,
    run: `docker ps -a --filter name=c2 --filter name=c3 --format '{{.Names}}'`,
  },
  {
    title: 'ps: filter by status',
    shared: THREE,
    run: `docker ps -a --filter status=exited --format '{{.Names}}'`,
  },
  { title: 'ps: filter by code', shared: THREE, run: `docker ps -a --filter exited=3 --format '{{.Names}}'` },
  {
    title: 'ps: filter by label',
    shared: THREE,
    run: `docker ps -a --filter label=tier=one --format '{{.Names}}'`,
  },
  {
    title: 'ps: filter by ancestor',
    shared: THREE,
    run: `docker ps -a --filter ancestor=busybox --format '{{.Names}}'`,
  },
  { title: 'ps: filter before', shared: THREE, run: `docker ps -a --filter before=c2 --format '{{.Names}}'` },
  { title: 'ps: filter since what is not there', run: `docker ps -a --filter since=nosuch` },
  { title: 'inspect: state of a created one', shared: FULL, run: inspect('{{json .State}}') },
  {
    title: 'inspect: state of an ended one',
    before: `run --name c1 busybox sh -c 'exit 3' || :`,
    run: inspect('{{json .State}}'),
  },
  {
    title: 'inspect: fields of the config',
    shared: FULL,
    run: inspect(
      '{{.Config.Hostname}} {{.Config.User}} {{.Config.WorkingDir}} {{json .Config.Env}} {{json .Config.Cmd}} {{json .Config.Entrypoint}} {{json .Config.Labels}} {{json .Config.Volumes}} {{.Config.Image}} {{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.StdinOnce}} {{.Config.AttachStdin}} {{.Config.AttachStdout}}',
    ),
  },
  {
    title: 'inspect: path and arguments',
    shared: FULL,
    run: inspect(
      '{{.Name}} {{.Path}} {{json .Args}} {{.RestartCount}} {{.Driver}} {{.Platform}} {{len .Id}} {{.Created}}',
    ),
  },
  {
    title: 'inspect: mounts',
    shared: FULL,
    run: inspect(
      '{{range .Mounts}}{{.Type}} {{.Destination}} {{.Mode}} {{.RW}} {{.Driver}} {{.Propagation}}{{println}}{{end}}',
    ),
    unordered: true,
  },
  {
    title: 'inspect: host config',
    shared: FULL,
    run: inspect(
      '{{.HostConfig.NetworkMode}} {{len .HostConfig.Binds}} {{.HostConfig.AutoRemove}} {{.HostConfig.Privileged}} {{json .HostConfig.RestartPolicy}} {{.HostConfig.LogConfig.Type}} {{.HostConfig.ShmSize}} {{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{json .HostConfig.CapAdd}} {{json .HostConfig.PortBindings}} {{.HostConfig.IpcMode}} {{json .HostConfig.ReadonlyPaths}}',
    ),
  },
  {
    title: 'inspect: index, range, join, json of a part',
    shared: FULL,
    run: inspect(
      '{{index .Config.Env 0}} {{range $i, $e := .Config.Env}}{{$i}}={{$e}};{{end}} {{join .Config.Env ","}} {{index .Config.Labels "k"}} {{len .Mounts}} {{with .Config}}{{.User}}{{end}}',
    ),
  },
  { title: 'inspect: a field that is not there', shared: FULL, run: inspect('{{.Nosuch}}') },
  { title: 'inspect: a template that does not parse', shared: FULL, run: inspect('{{.Id') },
  {
    title: 'inspect: names of all fields',
    shared: FULL,
    run: `docker inspect c1 | grep -o '^ *"[A-Za-z0-9]*":' | sort -u`,
  },
  {
    title: 'inspect: what is empty',
    shared: FULL,
    run: inspect(
      '{{.Config.StopSignal}}|{{.Config.Healthcheck}}|{{.Config.StopTimeout}}|{{.Config.Shell}}|{{.Config.ExposedPorts}}|{{.Config.OnBuild}}|{{.HostConfig.Init}}|{{.HostConfig.Tmpfs}}|{{.HostConfig.CapAdd}}|{{.HostConfig.Dns}}|{{.SizeRw}}|{{.State.Health}}|{{.ExecIDs}}|{{.HostConfig.KernelMemory}}',
    ),
  },
  {
    title: 'inspect: a struct keeps its order, a map is sorted',
    shared: FULL,
    run: inspect('{{json .HostConfig.RestartPolicy}} {{json .Config.Labels}}'),
  },
  {
    title: 'inspect: the document itself, sorted, where a name is not the struct’s',
    shared: FULL,
    run: inspect('{{len .Id}} {{json .HostConfig.RestartPolicy}} {{.Config.Entrypoint}} {{.Config.OnBuild}}'),
  },
  {
    title: 'inspect: networks',
    shared: FULL,
    run: inspect(
      '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{$v.Aliases}} {{$v.IPAddress}} {{$v.GlobalIPv6Address}} {{$v.DriverOpts}}{{end}} {{.NetworkSettings.HairpinMode}} {{.NetworkSettings.Ports}} {{.NetworkSettings.Bridge}}',
    ),
  },
  { title: 'inspect -s', shared: FULL, run: `docker inspect -s -f '{{.SizeRw}} {{.SizeRootFs}}' c1` },
  { title: 'inspect -s of an image', run: `docker inspect -s -f '{{.Size}}' busybox` },
  { title: 'inspect --type of nothing', run: "docker inspect --type '' busybox" },
  {
    title: 'image inspect: what is empty',
    run: `docker image inspect -f '{{.Config.User}}|{{.Config.WorkingDir}}|{{.Config.Entrypoint}}|{{.Config.Labels}}|{{.Config.StopSignal}}|{{.Config.Healthcheck}}|{{.Config.ExposedPorts}}|{{.Config.Volumes}}|{{.RepoDigests}}|{{.Parent}}' busybox`,
  },
  { title: 'ps: JSON', shared: THREE, run: 'docker ps -a --format json' },
  { title: 'ps: JSON by a function has the size', shared: THREE, run: `docker ps -a --format '{{json .}}'` },
  { title: 'ps -s', shared: THREE, run: 'docker ps -as' },
  { title: 'images: JSON', run: 'docker images --format json' },
  { title: 'history: JSON', run: 'docker history --format json busybox' },
  { title: 'history -H=false', run: 'docker history -H=false busybox' },
  { title: 'inspect of what is not there', run: 'docker inspect nosuch' },
  {
    title: 'inspect of two, one not there',
    shared: FULL,
    run: `docker inspect -f '{{.Name}}' c1 nosuch`,
  },
  { title: 'inspect --type container of an image', run: 'docker inspect --type container busybox' },
  { title: 'inspect --type with a bad type', run: 'docker inspect --type nosuch busybox' },
  { title: 'container inspect of what is not there', run: 'docker container inspect nosuch' },
  { title: 'image inspect of what is not there', run: 'docker image inspect nosuch' },
];
