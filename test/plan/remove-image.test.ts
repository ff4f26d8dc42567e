import test from 'ava';
import {
  type ImageUser,
  type KnownImage,
  planRemoval,
  type RemovalRequest,
} from '../../src/plan/remove-image.js';
import { parseDigest } from '../../src/types/ids.js';
import { refused } from '../helpers/refused.js';

const id = (letter: string) => parseDigest(`sha256:${letter.repeat(64)}`);
const D = `docker.io/library/redis@${id('d')}`;
const TAG = 'docker.io/library/redis:7';

const redis: KnownImage = { id: id('a'), tags: [TAG], digests: [D] };
const user = (running: boolean, imageId = redis.id): ImageUser => ({
  id: 'c'.repeat(64),
  name: 'box',
  imageId,
  running,
});

function request(changes: Partial<RemovalRequest> = {}): RemovalRequest {
  const image = changes.image ?? redis;
  return {
    typed: 'redis:7',
    image,
    reference: TAG,
    force: false,
    prune: true,
    images: [image],
    users: [],
    ...changes,
  };
}

test('the last tag takes the digest reference and the image along', (t) => {
  t.deepEqual(planRemoval(request()), { untagged: [TAG, D], deleted: [redis.id] });
});

test('with another tag of the repository only the tag goes', (t) => {
  const image = { ...redis, tags: [TAG, 'docker.io/library/redis:latest'] };
  t.deepEqual(planRemoval(request({ image })), { untagged: [TAG], deleted: [] });
});

test('with a tag of another repository the digest goes, the image stays', (t) => {
  const image = { ...redis, tags: [TAG, 'docker.io/me/cache:1'] };
  t.deepEqual(planRemoval(request({ image })), { untagged: [TAG, D], deleted: [] });
});

test('by id all names of one repository go; several repositories need force', (t) => {
  const byId = { reference: undefined, typed: 'aaaa' };
  t.deepEqual(planRemoval(request(byId)), { untagged: [TAG, D], deleted: [redis.id] });
  const image = { ...redis, tags: ['docker.io/me/cache:1', TAG] };
  refused(
    t,
    () => planRemoval(request({ ...byId, image })),
    'conflict: unable to delete aaaaaaaaaaaa (must be forced) - image is referenced in multiple repositories',
    'IN_USE',
  );
  t.deepEqual(planRemoval(request({ ...byId, image, force: true })), {
    untagged: [TAG, D, 'docker.io/me/cache:1'],
    deleted: [redis.id],
  });
});

test('a container that uses it', (t) => {
  const stopped = { users: [user(false)] };
  refused(
    t,
    () => planRemoval(request(stopped)),
    'conflict: unable to remove repository reference "redis:7" (must force) - container cccccccccccc is using its ' +
      'referenced image aaaaaaaaaaaa',
    'IN_USE',
  );
  t.deepEqual(planRemoval(request({ ...stopped, force: true })), { untagged: [TAG, D], deleted: [redis.id] });
  refused(
    t,
    () => planRemoval(request({ ...stopped, reference: undefined })),
    'conflict: unable to delete aaaaaaaaaaaa (must be forced) - image is being used by stopped container cccccccccccc',
    'IN_USE',
  );
});

test('a running one cannot be forced by id; by name the name goes and the image stays', (t) => {
  const running = { users: [user(true)], force: true };
  refused(
    t,
    () => planRemoval(request({ ...running, reference: undefined })),
    'conflict: unable to delete aaaaaaaaaaaa (cannot be forced) - image is being used by running container cccccccccccc',
    'IN_USE',
  );
  t.deepEqual(planRemoval(request(running)), { untagged: [TAG, D], deleted: [] });
});

test('an image that others were committed on', (t) => {
  const child: KnownImage = { id: id('b'), tags: ['docker.io/me/vim:1'], digests: [], parent: redis.id };
  const images = [redis, child];
  refused(
    t,
    () => planRemoval(request({ images, reference: undefined, force: true })),
    'conflict: unable to delete aaaaaaaaaaaa (cannot be forced) - image has dependent child images',
    'IN_USE',
  );
  t.deepEqual(planRemoval(request({ images })), { untagged: [TAG, D], deleted: [] });
  const bare: KnownImage = { ...redis, tags: [], digests: [] };
  const last = request({ image: child, images: [bare, child], reference: 'docker.io/me/vim:1' });
  t.deepEqual(planRemoval(last).deleted, [child.id, bare.id]);
  t.deepEqual(planRemoval({ ...last, prune: false }).deleted, [child.id]);
  t.deepEqual(planRemoval({ ...last, users: [user(false, bare.id)] }).deleted, [child.id]);
});

test('a digest reference goes alone', (t) => {
  t.deepEqual(planRemoval(request({ reference: D })), { untagged: [D], deleted: [] });
});
