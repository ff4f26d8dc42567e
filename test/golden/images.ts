/** Images: list, inspect, history, tag, rmi, save, load. */
import type { GoldenCase } from './case.js';

const MADE = `run --name c1 busybox sh -c 'echo x > /file'\ndocker commit -m message -a author c1 golden/i:1\ndocker rm c1`;
const after = 'docker rmi -f golden/i:1';

export const IMAGES: readonly GoldenCase[] = [
  { title: 'images', run: 'docker images' },
  { title: 'images -q', run: 'docker images -q' },
  { title: 'images --no-trunc', run: 'docker images --no-trunc' },
  { title: 'images --digests', run: 'docker images --digests' },
  { title: 'images of a repository', run: 'docker images busybox' },
  { title: 'images of none', run: 'docker images nosuch' },
  { title: 'images: a template', run: `docker images --format '{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}}'` },
  { title: 'images: a table', run: `docker images --format 'table {{.Repository}}\\t{{.Tag}}'` },
  {
    title: 'images: filter by reference',
    run: `docker images --filter 'reference=busy*' --format '{{.Repository}}'`,
  },
  { title: 'images: dangling ones', run: 'docker images --filter dangling=true' },
  {
    title: 'image inspect: names, config, layers',
    run: `docker image inspect -f '{{json .RepoTags}} {{json .RepoDigests}} {{.Os}}/{{.Architecture}} {{json .Config.Env}} {{json .Config.Cmd}} {{.Size}} {{json .RootFS}} {{.Author}} {{.Comment}} {{.Id}}' busybox`,
  },
  {
    title: 'image inspect of a commit',
    shared: MADE,
    run: `docker image inspect -f '{{.Author}} {{.Comment}} {{json .Config.Cmd}} {{len .RootFS.Layers}}' golden/i:1`,
  },
  {
    title: 'image inspect by a short id',
    run: `docker image inspect -f '{{json .RepoTags}}' $(docker images -q busybox)`,
  },
  { title: 'history', run: 'docker history busybox' },
  { title: 'history of a commit', shared: MADE, run: 'docker history golden/i:1' },
  { title: 'history -q', shared: MADE, run: 'docker history -q golden/i:1' },
  {
    title: 'history: a template',
    shared: MADE,
    run: `docker history --format '{{.CreatedBy}}|{{.Size}}|{{.Comment}}' golden/i:1`,
  },
  { title: 'history of what is not there', run: 'docker history nosuch' },
  { title: 'tag says nothing', run: 'docker tag busybox golden/t:1', after: 'docker rmi golden/t:1' },
  {
    title: 'tag is listed',
    before: 'docker tag busybox golden/t:2',
    run: 'docker images golden/t',
    after: 'docker rmi golden/t:2',
  },
  { title: 'tag of what is not there', run: 'docker tag nosuch golden/t:1' },
  { title: 'tag with a bad name', run: 'docker tag busybox Golden/T' },
  { title: 'tag with a bad tag', run: 'docker tag busybox golden/t:-x' },
  { title: 'rmi of one tag of two', before: 'docker tag busybox golden/t:3', run: 'docker rmi golden/t:3' },
  { title: 'rmi of a commit', before: MADE, run: 'docker rmi golden/i:1' },
  { title: 'rmi of what is not there', run: 'docker rmi nosuch' },
  { title: 'rmi -f of what is not there', run: 'docker rmi -f nosuch' },
  {
    title: 'rmi of an image that a stopped container uses',
    before: `${MADE}\ncreate --name c2 golden/i:1 true`,
    run: 'docker rmi golden/i:1',
    after,
  },
  {
    title: 'rmi of an image that a running container uses',
    before: `${MADE}\nrun -d --name c2 golden/i:1 sleep 100`,
    run: 'docker rmi $(docker images -q golden/i:1)',
    after,
  },
  {
    title: 'rmi -f of an image that a running container uses',
    before: `${MADE}\nrun -d --name c2 golden/i:1 sleep 100`,
    run: 'docker rmi -f $(docker images -q golden/i:1)',
    after,
  },
  {
    title: 'rmi by id with two names',
    before: `${MADE}\ndocker tag golden/i:1 golden/j:1`,
    run: 'docker rmi $(docker images -q golden/i:1)',
    after: 'docker rmi golden/i:1 golden/j:1',
  },
  {
    title: 'rmi of an image with a child',
    before: MADE,
    run: 'docker rmi busybox',
    after: `${after}\ndocker load -i dist/busybox.tar`,
  },
  {
    title: 'save and load',
    before: `${MADE}\ndocker save -o $T/saved.tar golden/i:1\ndocker rmi golden/i:1`,
    run: 'docker load -i $T/saved.tar',
    after,
  },
  {
    title: 'load from stdin, quietly',
    before: 'docker save busybox > $T/busybox.tar',
    run: 'docker load -q < $T/busybox.tar',
  },
  { title: 'save of what is not there', run: 'docker save nosuch > $T/none.tar' },
  { title: 'save of a tag that is not there', run: 'docker save nosuch:1 > $T/none.tar' },
  {
    title: 'load says which image loses its name',
    before: `docker save -o $T/busybox-2.tar busybox\nrun --name c1 busybox touch /x\ndocker commit c1 busybox > $T/moved`,
    run: 'docker load -i $T/busybox-2.tar',
    after: 'docker rmi $(cat $T/moved)',
  },
  {
    title: 'commit after the image has gone',
    before: `${MADE}\ncreate --name c2 golden/i:1 true\ndocker rmi -f golden/i:1`,
    run: 'docker commit c2 golden/k:1 2> /dev/null',
    after: 'docker rm c2',
  },
  {
    title: 'load of what is no archive',
    before: 'echo nonsense > $T/nonsense',
    run: 'docker load -i $T/nonsense',
  },
  { title: 'load of a file that is not there', run: 'docker load -i $T/nosuch.tar' },
];
