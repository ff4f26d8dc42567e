import test from 'ava';
import { chainIds } from '../../src/store/layers.js';
import { type NamedEntry, referencesOf, withEntry, withoutReferences } from '../../src/store/references.js';
import { parseDiffId, parseDigest } from '../../src/types/ids.js';

const digest = (letter: string) => parseDigest(`sha256:${letter.repeat(64)}`);
const REDIS = 'docker.io/library/redis';

function entry(reference: string | undefined, image: string, repoDigest?: string): NamedEntry {
  return {
    descriptor: { mediaType: 'm', digest: digest(image), size: 1 },
    imageId: digest(image),
    reference,
    repoDigest: repoDigest === undefined ? undefined : digest(repoDigest),
  };
}

const names = (entries: readonly { reference?: string }[]) => entries.map(({ reference }) => reference);

test('chain IDs are those of the image specification', (t) => {
  const [a, b] = [parseDiffId(digest('a')), parseDiffId(digest('b'))];
  t.deepEqual(chainIds([a]), [a] as never);
  // printf 'sha256:aa… sha256:bb…' | sha256sum
  t.is(
    chainIds([a, b])[1] as string,
    'sha256:ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c',
  );
});

test('a tag that moves leaves the old image its digest, or leaves it dangling', (t) => {
  const pulled = [entry(`${REDIS}:7`, 'a', 'd')];
  t.deepEqual(names(withEntry(pulled, entry(`${REDIS}:7`, 'b', 'e'))), [
    `${REDIS}@${digest('d')}`,
    `${REDIS}:7`,
  ]);
  const local = [entry(`${REDIS}:7`, 'a')];
  t.deepEqual(names(withEntry(local, entry(`${REDIS}:7`, 'b'))), [undefined, `${REDIS}:7`]);
  const twice = [entry(`${REDIS}:7`, 'a'), entry(`${REDIS}:8`, 'a')];
  t.deepEqual(names(withEntry(twice, entry(`${REDIS}:7`, 'b'))), [`${REDIS}:8`, `${REDIS}:7`]);
});

test('a name ends dangling; an untagged image is listed once', (t) => {
  const dangling = [entry(undefined, 'a')];
  t.deepEqual(names(withEntry(dangling, entry('x:1', 'a'))), ['x:1']);
  t.deepEqual(names(withEntry(dangling, entry(undefined, 'a'))), [undefined]);
  t.deepEqual(names(withEntry([entry('x:1', 'a')], entry(undefined, 'a'))), ['x:1']);
});

test('references taken away', (t) => {
  const pulled = [entry(`${REDIS}:7`, 'a', 'd'), entry('x:1', 'b')];
  const both = new Set([`${REDIS}:7`, `${REDIS}@${digest('d')}`]);
  t.deepEqual(names(withoutReferences(pulled, digest('a'), both)), ['x:1', undefined]);
  t.deepEqual(names(withoutReferences(pulled, digest('a'), new Set([`${REDIS}:7`]))), [
    'x:1',
    `${REDIS}@${digest('d')}`,
  ]);
  const [, left] = withoutReferences(pulled, digest('a'), new Set([`${REDIS}@${digest('d')}`]));
  t.deepEqual(referencesOf(left ? [left] : []), { tags: [`${REDIS}:7`], digests: [] });
});
