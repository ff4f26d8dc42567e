/** Tables, templates, filters and JSON of ps, inspect and images. */
import type { GoldenCase } from './case.js';

const THREE = `create --name c1 -l tier=one busybox echo hello
run --name c2 -l tier=two busybox sh -c 'exit 3' || :
run -d --name c3 busybox sleep 100`;

const inspect = (template: string) => `docker inspect -f '${template}' c1`;
const FULL = `create --name c1 -e A=1 -w /tmp -u 1:2 -h box -l k=v -v vol-golden:/v -v /anon -v /tmp:/b:ro --entrypoint sh busybox -c true`;

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
    title: 'inspect: index, range, join, json of a part',
    shared: FULL,
    run: inspect(
      '{{index .Config.Env 0}} {{range $i, $e := .Config.Env}}{{$i}}={{$e}};{{end}} {{join .Config.Env ","}} {{index .Config.Labels "k"}} {{len .Mounts}} {{with .Config}}{{.User}}{{end}}',
    ),
  },
  { title: 'inspect: a template that does not parse', shared: FULL, run: inspect('{{.Id') },
  { title: 'inspect of what is not there', run: 'docker inspect nosuch' },
  {
    title: 'inspect of two, one not there',
    shared: FULL,
    run: `docker inspect -f '{{.Name}}' c1 nosuch`,
  },
  { title: 'inspect --type container of an image', run: 'docker inspect --type container busybox' },
  { title: 'container inspect of what is not there', run: 'docker container inspect nosuch' },
];
