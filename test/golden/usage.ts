/** Words that make no sense: too few, too many, unknown. */
import type { GoldenCase } from './case.js';

export const USAGE: readonly GoldenCase[] = [
  { title: 'start without a container', run: 'docker start' },
  { title: 'rm without a container', run: 'docker rm' },
  { title: 'logs without a container', run: 'docker logs' },
  { title: 'logs of two', run: 'docker logs a b' },
  { title: 'inspect without an object', run: 'docker inspect' },
  { title: 'tag with one word', run: 'docker tag busybox' },
  { title: 'rmi without an image', run: 'docker rmi' },
  { title: 'commit without a container', run: 'docker commit' },
  { title: 'ps with a word', run: 'docker ps nosuch' },
  { title: 'history without an image', run: 'docker history' },
  { title: 'kill without a container', run: 'docker kill' },
  { title: 'wait without a container', run: 'docker wait' },
  { title: 'ps with an unknown flag', run: 'docker ps --nosuch' },
  { title: 'rm with an unknown flag', run: 'docker rm --nosuch c1' },
  { title: 'images with an unknown flag', run: 'docker images --nosuch' },
  { title: 'logs with a bad --since', before: 'create --name c1 busybox', run: 'docker logs --since x c1' },
  {
    title: 'kill with a bad signal',
    before: 'run -d --name c1 busybox sleep 100',
    run: 'docker kill -s NOSUCH c1',
  },
  { title: 'a flag that lacks its value', run: 'docker run --name' },
  { title: 'a number that is none', run: 'docker ps -n x' },
  { title: 'a switch with a bad value', run: 'docker ps --all=x' },
];
