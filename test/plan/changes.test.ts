/** Every row was seen on a dockerd (20.10), but those about clearing and STOPSIGNAL. */
import test from 'ava';
import { applyChanges } from '../../src/plan/changes.js';
import type { ImageRunConfig } from '../../src/types/oci.js';
import { refused } from '../helpers/refused.js';

const base: ImageRunConfig = { Env: ['A=1', 'B=x y'], Cmd: ['sh', '-c', 'echo hi'] };

test('what a change makes of the config', (t) => {
  const table: [string[], ImageRunConfig][] = [
    [['CMD ["a","b"]'], { Cmd: ['a', 'b'] }],
    [['CMD echo $HOME "x y"'], { Cmd: ['/bin/sh', '-c', 'echo $HOME "x y"'] }],
    [['CMD'], { Cmd: ['/bin/sh', '-c'] }],
    [['CMD ["a"'], { Cmd: ['/bin/sh', '-c', '["a"'] }],
    [["CMD ['a']"], { Cmd: ['/bin/sh', '-c', "['a']"] }],
    [['ENTRYPOINT ["e"]'], { Entrypoint: ['e'], Cmd: null }],
    [['ENTRYPOINT e f'], { Entrypoint: ['/bin/sh', '-c', 'e f'], Cmd: null }],
    [['CMD x', 'ENTRYPOINT ["e"]'], { Entrypoint: ['e'], Cmd: ['/bin/sh', '-c', 'x'] }],
    [['ENTRYPOINT ["e"]', 'CMD ["x"]'], { Entrypoint: ['e'], Cmd: ['x'] }],
    [['ENV X=1'], { Env: ['A=1', 'B=x y', 'X=1'] }],
    [['env A=2'], { Env: ['A=2', 'B=x y'] }],
    [['ENV X a b  c'], { Env: ['A=1', 'B=x y', 'X=a b  c'] }],
    [
      [`ENV X="a b" Y=c\\ d Z='q r' W=$A-\${B}-\${N:-def}-\${A:+plus}`],
      { Env: ['A=1', 'B=x y', 'X=a b', 'Y=c d', 'Z=q r', 'W=1-x y-def-plus'] },
    ],
    [['ENV A=5\nLABEL q=r'], { Env: ['A=5', 'B=x y'], Labels: { q: 'r' } }],
    [['ENV A=5 \\\n  Q=6'], { Env: ['A=5', 'B=x y', 'Q=6'] }],
    [['ENV A=5 C=$A', 'ENV D=$A'], { Env: ['A=5', 'B=x y', 'C=1', 'D=5'] }],
    [['EXPOSE 80 81/udp'], { ExposedPorts: { '80/tcp': {}, '81/udp': {} } }],
    [['EXPOSE 80-82/tcp'], { ExposedPorts: { '80/tcp': {}, '81/tcp': {}, '82/tcp': {} } }],
    [['EXPOSE 8080:80'], { ExposedPorts: { '80/tcp': {} } }],
    [['LABEL a=b "c d"="e f" g=$A'], { Labels: { a: 'b', 'c d': 'e f', g: '1' } }],
    [['LABEL a b c'], { Labels: { a: 'b c' } }],
    [['USER bob'], { User: 'bob' }],
    [['USER a b'], { User: 'a b' }],
    [['USER $A'], { User: '1' }],
    [['WORKDIR rel', 'WORKDIR sub'], { WorkingDir: '/rel/sub' }],
    [['WORKDIR /a b'], { WorkingDir: '/a b' }],
    [['VOLUME /d /e'], { Volumes: { '/d': {}, '/e': {} } }],
    [['VOLUME ["/d"]'], { Volumes: { '/d': {} } }],
    [['HEALTHCHECK NONE'], { Healthcheck: { Test: ['NONE'] } }],
    [
      ['HEALTHCHECK --interval=5s --timeout=1m --retries=3 --start-period=2s CMD curl x'],
      {
        Healthcheck: {
          Test: ['CMD-SHELL', 'curl x'],
          Interval: 5e9,
          Timeout: 60e9,
          StartPeriod: 2e9,
          Retries: 3,
        },
      },
    ],
    [['HEALTHCHECK CMD ["a","b"]'], { Healthcheck: { Test: ['CMD', 'a', 'b'] } }],
    [['ONBUILD RUN x'], { OnBuild: ['RUN x'] }],
    [['STOPSIGNAL SIGINT'], { StopSignal: 'SIGINT' }],
    [['ENTRYPOINT []'], { Entrypoint: null, Cmd: null }],
    [['CMD []'], { Cmd: null }],
    [[], {}],
  ];
  for (const [changes, expected] of table) {
    t.deepEqual(applyChanges(base, changes), { ...base, ...expected }, changes.join(' | '));
  }
});

test('ENV, LABEL, EXPOSE and VOLUME add to what is there, and the given config is left alone', (t) => {
  const config: ImageRunConfig = {
    Labels: { a: '1', b: '2' },
    ExposedPorts: { '1/tcp': {} },
    Volumes: { '/v': {} },
    OnBuild: ['RUN y'],
    Shell: ['/bin/bash', '-lc'],
  };
  const copy = structuredClone(config);
  t.deepEqual(applyChanges(config, ['LABEL b=3', 'EXPOSE 2', 'VOLUME /w', 'ONBUILD RUN x', 'CMD go']), {
    ...config,
    Labels: { a: '1', b: '3' },
    ExposedPorts: { '1/tcp': {}, '2/tcp': {} },
    Volumes: { '/v': {}, '/w': {} },
    OnBuild: ['RUN y', 'RUN x'],
    Cmd: ['/bin/bash', '-lc', 'go'],
  });
  t.deepEqual(config, copy);
});

test('what is refused, in Docker’s words', (t) => {
  const table: [string, string][] = [
    ['RUN x', 'run is not a valid change command'],
    ['FOO x', 'foo is not a valid change command'],
    ['MAINTAINER x', 'maintainer is not a valid change command'],
    ['constructor x', 'constructor is not a valid change command'],
    ['', 'file with no instructions'],
    ['# c', 'file with no instructions'],
    ['ENV X', 'ENV must have two arguments'],
    ['ENV', 'ENV requires at least one argument'],
    ['ENV =x', 'ENV names can not be blank'],
    ['ENV X=1 y', `Syntax error - can't find = in "y". Must be of the form: name=value`],
    [
      'ENV X="unterminated',
      'failed to process "\\"unterminated": unexpected end of statement while looking for matching double-quote',
    ],
    ['EXPOSE x', 'Invalid containerPort: x'],
    ['EXPOSE 70000', 'Invalid containerPort: 70000'],
    ['EXPOSE', 'EXPOSE requires at least one argument'],
    ['EXPOSE 1/foo', 'Invalid proto: foo'],
    ['LABEL a', 'LABEL must have two arguments'],
    ['LABEL =x', 'LABEL names can not be blank'],
    ['USER', 'USER requires exactly one argument'],
    ['VOLUME', 'VOLUME requires at least one argument'],
    ['VOLUME [""]', 'VOLUME specified can not be an empty string'],
    ['STOPSIGNAL FOO', 'Invalid signal: FOO'],
    ['HEALTHCHECK foo', 'Unknown type "FOO" in HEALTHCHECK (try CMD)'],
    ['HEALTHCHECK --bad=1 CMD x', 'Unknown flag: bad'],
    ['HEALTHCHECK --interval=0s CMD x', 'Interval "interval" cannot be less than 1ms'],
    ['HEALTHCHECK', 'HEALTHCHECK requires at least one argument'],
    ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
    ['HEALTHCHECK --retries=x CMD x', 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['HEALTHCHECK --interval=x CMD x', 'time: invalid duration "x"'],
    ['HEALTHCHECK NONE x', 'HEALTHCHECK NONE takes no arguments'],
    ['HEALTHCHECK --retries=-1 CMD x', '--retries must be at least 1 (not -1)'],
    ['ONBUILD ONBUILD x', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
    ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
    ['ONBUILD', 'ONBUILD requires at least one argument'],
  ];
  for (const [change, message] of table) refused(t, () => applyChanges(base, [change]), message);
});
