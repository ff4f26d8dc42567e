import test from 'ava';
import { treeText } from '../../cli/commands/image-tree.js';
import { madeAt } from '../../cli/commands/made-at.js';
import { parseDigest } from '../../src/types/ids.js';

const digest = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`);

test('layers stand in line, with the images that end there', (t) => {
  const layers = [
    { diffId: digest('1'), size: 2_140_000, topOf: ['base:1', 'base:2'] },
    { diffId: digest('2'), size: 12, topOf: [] },
    { diffId: digest('3'), size: 0, topOf: ['top:\u001b[31m'] },
  ];
  t.is(
    treeText({ id: digest('f') as never, tags: ['top:1'], size: 2_140_012, layers }),
    `Image ID: ffffffffffff
Tags:     [top:1]
Size:     2.14MB
Image Layers
├── ID: 111111111111 Size: 2.14MB Top Layer of: [base:1 base:2]
├── ID: 222222222222 Size:    12B
└── ID: 333333333333 Size:     0B Top Layer of: [top:\\x1b[31m]
`,
  );
  t.regex(treeText({ id: digest('f') as never, tags: [], size: 0, layers: [] }), /^No Image Layers$/m);
});

test('the time of an image: the flag, else SOURCE_DATE_EPOCH, which must be a number', (t) => {
  t.is(madeAt({ env: {} }, undefined), undefined);
  t.is(madeAt({ env: { SOURCE_DATE_EPOCH: '' } }, undefined), undefined);
  t.is(madeAt({ env: { SOURCE_DATE_EPOCH: '12' } }, undefined), 12);
  t.is(madeAt({ env: { SOURCE_DATE_EPOCH: '12' } }, 0), 0);
  t.throws(() => madeAt({ env: { SOURCE_DATE_EPOCH: '1.5' } }, undefined), {
    message: /SOURCE_DATE_EPOCH is "1.5"/,
  });
});
