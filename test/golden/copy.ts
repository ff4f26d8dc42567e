/** cp and export. */
import type { GoldenCase } from './case.js';

const box = (title: string, run: string, more: Partial<GoldenCase> = {}): GoldenCase => ({
  title,
  before: `mkdir -p $T/d/sub; echo f > $T/f; echo x > $T/d/x; ln -sf x $T/d/link; chown 1234:2345 $T/f; chmod 750 $T/d
    create --name cpbox -v /vol busybox true`,
  run,
  after: 'rm -rf $T/d $T/f $T/out*',
  ...more,
});

/** What an archive on stdin holds: type and mode, numeric owner, name. */
const LIST = `tar --numeric-owner -tvf - | tr -s ' ' | cut -d ' ' -f 1,2,6-`;
/** Without the client's log of an archive that nobody wanted. */
const quiet = (command: string) =>
  `${command} 2> $T/err; code=$?; grep -v level= $T/err >&2; rm $T/err; exit $code`;

export const COPY: readonly GoldenCase[] = [
  box('cp of a file: silent, owner kept', `docker cp $T/f cpbox:/ && docker cp cpbox:/f - | ${LIST}`),
  box(
    'cp of a directory to a new name, its content, and into one that is there',
    `docker cp $T/d cpbox:/new; docker cp $T/d/. cpbox:/content; docker cp $T/d cpbox:/new
    docker cp cpbox:/new - | ${LIST}; docker cp cpbox:/content/. - | ${LIST}`,
  ),
  box('cp into a volume', `docker cp $T/f cpbox:/vol/ && docker cp cpbox:/vol - | ${LIST}`),
  box(
    'cp out: ours, to a new name, over a file, into a directory',
    `docker cp $T/f cpbox:/; mkdir $T/out; docker cp cpbox:/f $T/out; docker cp cpbox:/f $T/out/2; docker cp cpbox:/f $T/out/2
    docker cp cpbox:/etc/. $T/out/etc; cd $T/out; stat -c '%n %a %u:%g' f 2 etc/passwd; cat 2`,
  ),
  box(
    'cp of links: as links, -L as what they name, with a slash as the directory',
    `docker cp $T/d cpbox:/; ln -s $T/d/x $T/outl; docker cp $T/outl cpbox:/l; docker cp -L $T/outl cpbox:/fl
    docker cp cpbox:/d/link - | ${LIST}; docker cp -L cpbox:/d/link $T/outx; cat $T/outx; docker cp cpbox:/l - | ${LIST} | cut -c 1-16
    docker cp cpbox:/fl - | ${LIST}`,
  ),
  box('cp of the root: names', `docker cp cpbox:/ - | tar -Ptf - | head -3`),
  box('cp of what is not there', 'docker cp cpbox:/nosuch -'),
  box('cp out of /proc, which only programs see', 'docker cp cpbox:/proc/cpuinfo $T'),
  box('cp to a parent that is not there', 'docker cp $T/f cpbox:/nosuch/x'),
  box('cp to a directory that is not there', quiet('docker cp $T/f cpbox:/nosuch/')),
  box('cp of a directory over a file', quiet('docker cp $T/d cpbox:/etc/passwd')),
  box('cp out of a directory over a file', 'docker cp cpbox:/etc $T/f'),
  box('cp out to a place that is not there', 'docker cp cpbox:/etc/passwd /nosuch/x'),
  box('cp of a local file that is not there', 'docker cp $T/nosuch cpbox:/'),
  box('cp between containers', 'docker cp cpbox:/etc cpbox:/x'),
  box('cp between local paths', 'docker cp $T/f $T/out'),
  box('cp of nothing', `docker cp '' cpbox:/`),
  box('cp of a container that is not there', 'docker cp nosuch:/x -'),
  box(
    'cp of an archive on stdin, and to what is no directory',
    'tar -C $T -cf - f | docker cp - cpbox:/tmp && docker cp cpbox:/tmp/f - | tar -xOf -; docker cp - cpbox:/etc/passwd < /dev/null',
  ),
  {
    title: 'cp into a read-only root',
    before: 'create --name cpro --read-only -v /vol busybox',
    run: 'docker cp /etc/hostname cpro:/vol/h; docker cp /etc/hostname cpro:/h',
  },
  {
    title: 'cp into a read-only volume',
    before: 'create --name cpro -v $T:/t:ro busybox',
    run: 'docker cp /etc/hostname cpro:/t/h',
  },
  {
    title: 'cp from and to a paused container',
    before: 'run -d --name cpp busybox sh -c "echo in > /x; sleep 1000"; sleep 1; docker pause cpp',
    run: 'docker cp cpp:/x - | tar xOf -; docker cp /dev/null cpp:/tmp; echo $?; docker unpause cpp',
  },
  {
    title: 'export: the names',
    before:
      'run --name exbox -v /vol -v $T:/bound --tmpfs /tt busybox sh -c "echo x > /new; rm /etc/shadow; echo v > /vol/v"',
    run: 'docker export exbox | tar tf - | sort',
  },
  {
    title: 'export of a running container: the names, without what is mounted',
    before: 'run -d --name exbox busybox sh -c "echo x > /new; sleep 1000"; sleep 1',
    run: 'docker export -o $T/e.tar exbox; tar tf $T/e.tar | sort; stat -c %a $T/e.tar; rm $T/e.tar',
  },
  { title: 'export of a container that is not there', run: 'docker export nosuch' },
  { title: 'export to a directory that is not there', run: 'docker export -o /nosuch/x nosuch' },
];
