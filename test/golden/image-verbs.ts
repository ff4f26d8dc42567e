/** Images from archives, and logins as far as no registry is asked. */
import type { GoldenCase } from './case.js';

const TREE = 'mkdir -p $T/tree/etc\necho hi > $T/tree/etc/file\ntar -C $T/tree -cf $T/rootfs.tar .';
const IMPORTED = `${TREE}\ndocker import -m words -c 'CMD ["/b"]' -c 'ENV A=1' $T/rootfs.tar golden/imported:1`;
const after = 'docker rmi -f golden/imported:1';
/** A configuration without logins. */
const ALONE = 'export DOCKER_CONFIG=$T/config';

export const IMAGE_VERBS: readonly GoldenCase[] = [
  {
    title: 'import prints the id',
    before: TREE,
    run: 'docker import $T/rootfs.tar golden/imported:1',
    after,
  },
  {
    title: 'import from stdin, compressed',
    before: TREE,
    run: `gzip -c $T/rootfs.tar | docker import - golden/imported:1
docker image inspect -f '{{json .Config}} {{.Comment}} {{json .RepoTags}} {{.Size}} {{json .RootFS}}' golden/imported:1`,
    after,
  },
  {
    title: 'import: inspect',
    before: IMPORTED,
    run: `docker image inspect -f '{{json .Config.Cmd}} {{json .Config.Env}} {{.Comment}} {{.Size}} {{len .RootFS.Layers}} {{.Os}}' golden/imported:1`,
    after,
  },
  { title: 'import: history', before: IMPORTED, run: 'docker history golden/imported:1', after },
  { title: 'import: a bad instruction', before: TREE, run: `docker import -c 'RUN x' $T/rootfs.tar` },
  { title: 'import: a bad name', before: TREE, run: 'docker import $T/rootfs.tar Golden/X' },
  { title: 'import: a file that is not there', run: 'docker import $T/nosuch.tar' },
  {
    title: 'import: for another system',
    before: TREE,
    run: 'docker import --platform windows $T/rootfs.tar',
  },
  {
    title: 'export and import',
    before: `run --name c1 busybox sh -c 'echo x > /file; ln -s file /link'
docker export c1 | docker import -c 'CMD ["cat", "/link"]' - golden/imported:1`,
    run: 'run --rm golden/imported:1; docker images golden/imported',
    after,
  },
  {
    title: 'commit with every instruction that 20.10 knows',
    before: 'create --name c1 busybox true',
    run: `docker commit -c 'CMD ["a"]' -c 'ENTRYPOINT ["/e"]' -c 'ENV A=1 B="two words"' -c 'EXPOSE 80 53/udp' -c 'HEALTHCHECK --interval=5s CMD x' -c 'LABEL x=y' -c 'ONBUILD RUN x' -c 'USER 1:2' -c 'VOLUME /v' -c 'WORKDIR /w' c1 golden/imported:1
docker image inspect -f '{{json .Config.Cmd}} {{json .Config.Entrypoint}} {{json .Config.ExposedPorts}} {{json .Config.Healthcheck}} {{json .Config.Labels}} {{json .Config.OnBuild}} {{.Config.User}} {{json .Config.Volumes}} {{.Config.WorkingDir}}' golden/imported:1`,
    after,
  },
  { title: 'login without a terminal', run: `${ALONE}\ndocker login 127.0.0.1:5000 < /dev/null` },
  {
    title: 'login: a password twice',
    run: `${ALONE}\ndocker login -u me -p x --password-stdin 127.0.0.1:5000`,
  },
  {
    title: 'login: a password for nobody',
    run: `${ALONE}\necho x | docker login --password-stdin 127.0.0.1:5000`,
  },
  {
    title: 'logout',
    before: `mkdir -p $T/config\necho '{"auths":{"127.0.0.1:5000":{"auth":"bWU6eA=="}}}' > $T/config/config.json`,
    run: `${ALONE}\ndocker logout 127.0.0.1:5000\ndocker logout https://127.0.0.1:5000/v2/\ncat $T/config/config.json`,
  },
  { title: 'logout of Docker Hub', run: `${ALONE}\ndocker logout` },
  { title: "pull -a: a tag can't be used", run: 'docker pull -a busybox:1' },
];
