/** Where tsrun answers otherwise than Docker 20.10 on purpose: the title of the case, and why. At most one in ten. */
export const ACCEPTED: Record<string, string> = {
  'load of what is no archive':
    '20.10 passes on the words of the child that unpacks ("Error processing tar file(exit status 1)"); tsrun has no such child and says what is wrong with the archive',
  '126: a directory': 'current runc says what it is ("is a directory"); 20.10 said "permission denied"',
  'bind source that is missing is made':
    'the same, with a warning on stderr: the most hated default of Docker must not happen in silence',
  'inspect: names of all fields':
    'DNSNames is of current Docker; there is no MergedDir, since nothing is mounted on the host',
  'inspect --type with a bad type': 'the list of what there is: tsrun has no swarm and no plugins',
  'inspect --type of nothing': 'the list of what there is: tsrun has no swarm and no plugins',
  'image inspect of what is not there':
    '20.10 says it twice ("no such image: nosuch: No such image: nosuch:latest"), current Docker once',
  'logs with a bad --tail': 'Docker takes a number that it cannot read for "all"; tsrun says that it is none',
  'exec: no such command': 'exit 127 as for run, in current Docker; 20.10 gave 126 for every failed exec',
  '--security-opt seccomp=FILE: no JSON':
    "the JSON parser's own words after Docker's; the file is named by both",
  '--security-opt apparmor=mine: true':
    'Docker passes over a profile where the kernel runs no such module; a protection that was asked for by name and is not there is an error here',
  '--security-opt label=type:mine_t: true':
    'Docker passes over a profile where the kernel runs no such module; a protection that was asked for by name and is not there is an error here',
  '--group-add nosuch: true':
    'Docker writes this "Unable" and the one of `-u name:group` "unable": one spelling is enough for scripts',
};
