/** volume …, system df, events: what is not a container and not an image. */
import type { GoldenCase } from './case.js';

const TWO = 'docker volume create golden-x\ndocker volume create --label k=v --label x golden-y';
const after = 'docker volume rm -f golden-x golden-y';
const rm = 'docker rm -f c1; docker volume rm -f golden-x golden-y';

/** Of the images that other cases left only busybox stays. */
const ALONE = `docker images --format '{{.Repository}}:{{.Tag}} {{.ID}}' | awk '$1 != "busybox:latest" { print ($1 ~ /<none>/ ? $2 : $1) }' | xargs -r docker rmi -f`;

export const VOLUMES: readonly GoldenCase[] = [
  { title: 'volume create prints the name', run: 'docker volume create golden-x', after },
  { title: 'volume create twice', before: TWO, run: 'docker volume create golden-x', after },
  { title: 'volume create without a name', run: 'docker volume rm $(docker volume create) | wc -c' },
  { title: 'volume create: a bad name', run: "docker volume create 'a b'" },
  { title: 'volume create: a short name', run: 'docker volume create x' },
  { title: 'volume create: an unknown driver', run: 'docker volume create -d nosuch golden-x' },
  { title: 'volume create: an unknown option', run: 'docker volume create -o nosuch=1 golden-x' },
  { title: 'volume create of two', run: 'docker volume create a b' },
  { title: 'volume ls', before: TWO, run: 'docker volume ls -f name=golden', after },
  { title: 'volume ls -q', before: TWO, run: 'docker volume ls -q -f name=golden', after },
  { title: 'volume ls: by label', before: TWO, run: 'docker volume ls -f label=k=v', after },
  {
    title: 'volume ls: dangling ones',
    before: TWO,
    run: 'docker volume ls -q -f dangling=true -f name=golden',
    after,
  },
  {
    title: 'volume ls: a template',
    before: TWO,
    run: `docker volume ls -f name=golden --format '{{.Name}} {{.Labels}} {{.Label "k"}} {{.Driver}} {{.Scope}} {{.Size}}'`,
    after,
  },
  {
    title: 'volume ls: a table',
    before: TWO,
    run: `docker volume ls -f name=golden --format 'table {{.Name}}\\t{{.Label "k"}}'`,
    after,
  },
  {
    title: 'volume ls: an unknown field',
    before: TWO,
    run: `docker volume ls --format '{{.Nosuch}}'`,
    after,
  },
  { title: 'volume ls: a bad filter', run: 'docker volume ls -f nosuch=1' },
  { title: 'volume ls: dangling or what', run: 'docker volume ls -f dangling=x' },
  {
    title: 'volume inspect',
    before: TWO,
    run: 'docker volume inspect golden-x golden-y | grep -v Mountpoint',
    after,
  },
  {
    title: 'volume inspect: a template',
    before: TWO,
    run: `docker volume inspect -f '{{.Name}} {{.Labels}} {{json .Options}} {{.Scope}}' golden-x golden-y`,
    after,
  },
  {
    title: 'volume inspect: an unknown field',
    before: TWO,
    run: `docker volume inspect -f '{{.Name}} {{.Nosuch}}' golden-x`,
    after,
  },
  { title: 'volume inspect of what is not there', run: 'docker volume inspect nosuch' },
  { title: 'volume rm', before: TWO, run: 'docker volume rm golden-x golden-y' },
  { title: 'volume rm of what is not there', run: 'docker volume rm nosuch' },
  { title: 'volume rm -f of what is not there', run: 'docker volume rm -f nosuch' },
  {
    title: 'volume rm of one in use',
    before: 'create --name c1 -v golden-x:/v busybox',
    run: 'docker volume rm golden-x',
    after: rm,
  },
  { title: 'volume rm without a name', run: 'docker volume rm' },
  {
    title: 'rm -v takes anonymous volumes and leaves named ones',
    before: 'create --name c1 -v golden-x:/v -v /w busybox',
    run: 'docker rm -v c1; docker volume ls -q',
    after: rm,
  },
  {
    title: 'rm leaves anonymous volumes',
    before: 'create --name c1 -v /w busybox',
    run: 'docker rm c1; docker volume ls -q | wc -l; docker volume rm $(docker volume ls -q) | wc -l',
  },
  {
    title: 'inspect of a volume',
    before: TWO,
    run: `docker inspect -f '{{.Name}} {{.Driver}}' golden-x`,
    after,
  },
  { title: 'inspect -s of a volume', before: TWO, run: `docker inspect -s -f '{{.Name}}' golden-x`, after },
  {
    title: 'system df: numbers',
    before: `${ALONE}\nrun -d --name c1 busybox sleep 100\nrun --name c2 busybox true`,
    run: `docker system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'`,
  },
  {
    title: 'system df: a table',
    before: ALONE,
    run: `docker system df --format 'table {{.Type}}\\t{{.TotalCount}}'`,
  },
  { title: 'system df', before: ALONE, run: 'docker system df' },
  { title: 'system df: an unknown field', run: `docker system df --format '{{.Nosuch}}'` },
  { title: 'system df with a word', run: 'docker system df nosuch' },
  {
    // Not `--until 0s`: docker counts that in whole seconds, and what is of this second is not there yet.
    title: 'events: of one container',
    before: 'run --name c1 busybox true\ndocker rm c1',
    run: `docker events --since 1h --until $(date +%s.%N) -f container=c1 -f event=create -f event=start -f event=die -f event=destroy --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}' | tail -4`,
  },
  {
    title: 'events: of a volume',
    before: 'docker volume create golden-x\ndocker volume rm golden-x',
    run: `docker events --since 1h --until $(date +%s.%N) -f type=volume -f volume=golden-x --format '{{.Action}} {{.Actor.ID}} {{json .Actor.Attributes}}' | tail -2`,
  },
  {
    title: 'events: a template that does not parse',
    run: `docker events --since 1h --until 0s --format '{{.Nosuch'`,
  },
  { title: 'events: a bad time', run: 'docker events --since x' },
  { title: 'events: a filter without =', run: 'docker events --filter nosuch' },
  { title: 'version: a template', run: `docker version -f '{{.Server.Os}} {{.Client.Os}} {{.Server.Arch}}'` },
  { title: 'version: an unknown field', run: `docker version -f 'x{{.Nosuch}}y'` },
  { title: 'version: a template that does not parse', run: `docker version -f '{{.Server'` },
  {
    title: 'info: a template',
    run: `docker info -f '{{.Driver}} {{.OSType}} {{.NCPU}} {{.CgroupDriver}} {{.CgroupVersion}} {{.Architecture}}'`,
  },
  { title: 'info: an unknown field', run: `docker info -f 'x{{.Nosuch}}y'` },
];
