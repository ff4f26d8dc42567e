import test from 'ava';
import { parseLog } from '../../src/intent/log.js';
import { type LogSubject, logAttributes } from '../../src/plan/log-attributes.js';
import { refused } from '../helpers/refused.js';

const subject: LogSubject = {
  id: 'abcdef0123456789'.repeat(4),
  name: 'web',
  image: { reference: 'shop/web:1', id: `sha256:${'12'.repeat(32)}` },
  config: { Labels: { tier: 'front', team: 'a"b' }, Env: ['PATH=/bin', 'MODE=x=y', 'EMPTY='] },
};

function attributes(...options: string[]): unknown {
  const text = logAttributes(parseLog(undefined, options).attributes, subject);
  return text === undefined ? undefined : JSON.parse(text);
}

test('labels and variables by name and by expression', (t) => {
  t.is(attributes(), undefined);
  t.is(attributes('labels=nosuch', 'env=', 'tag='), undefined);
  t.deepEqual(attributes('labels=tier,team,nosuch'), { team: 'a"b', tier: 'front' });
  t.deepEqual(attributes('labels-regex=^te'), { team: 'a"b' });
  t.deepEqual(attributes('env=MODE,EMPTY', 'env-regex=^PA'), { MODE: 'x=y', EMPTY: '', PATH: '/bin' });
});

test('keys are sorted, as Docker writes them', (t) => {
  const text = logAttributes(parseLog(undefined, ['labels=tier,team', 'tag=x']).attributes, subject);
  t.is(text, '{"tag":"x","team":"a\\"b","tier":"front"}');
});

test('a tag names the container and its image', (t) => {
  const tags: [string, string][] = [
    ['plain', 'plain'],
    ['{{.Name}}/{{ .ID }}', 'web/abcdef012345'],
    ['{{.FullID}}', subject.id],
    ['{{.ImageName}} {{.ImageID}} {{.ImageFullID}}', `shop/web:1 121212121212 ${subject.image.id}`],
    ['{{.DaemonName}}', 'tsrun'],
  ];
  for (const [tag, expected] of tags) t.deepEqual(attributes(`tag=${tag}`), { tag: expected });
  for (const bad of ['{{.Nosuch}}', '{{.constructor}}', '{{json .}}'])
    refused(
      t,
      () => attributes(`tag=${bad}`),
      `failed to initialize logging driver: log tag: unknown field in ${bad}`,
    );
});
