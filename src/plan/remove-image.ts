/**
 * What `rmi` may do: which names go, whether the image goes, which dangling parents go with it. Pure; the rules and
 * their words are Docker's.
 */
import { TsrunError } from '../errors.js';
import type { ImageId } from '../types/ids.js';

export interface ImageUser {
  /** Container id. */
  readonly id: string;
  readonly name: string;
  readonly imageId: ImageId;
  readonly running: boolean;
}

export interface KnownImage {
  readonly id: ImageId;
  /** Canonical references, sorted. */
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly parent?: ImageId;
}

export interface RemovalRequest {
  /** As typed: it appears in the messages. */
  readonly typed: string;
  readonly image: KnownImage;
  /** The canonical reference that was named; undefined if the image was named by its id. */
  readonly reference?: string;
  readonly force: boolean;
  /** Also delete untagged parents. */
  readonly prune: boolean;
  readonly images: readonly KnownImage[];
  readonly users: readonly ImageUser[];
}

export interface RemovalPlan {
  /** Canonical references that go, in order. */
  readonly untagged: string[];
  /** Image records that go, in order. */
  readonly deleted: ImageId[];
}

type Conflict = { hard: boolean; used: boolean; message: string };
interface Mask {
  readonly soft: boolean;
  readonly references: boolean;
}

/** @throws TsrunError IN_USE with Docker's "conflict: unable to …" */
export function planRemoval(request: RemovalRequest): RemovalPlan {
  const { image, reference } = request;
  const names = [...image.tags, ...image.digests].sort();
  if (reference === undefined) {
    if (!isSingleReference(image)) return finish(request, [], names, false);
    refuseConflict(request, image.id, { soft: !request.force, references: false }, names);
    return finish(request, names, [], false);
  }
  if (!request.force && isSingleReference(image)) refuseUsed(request);
  const untagged = [reference];
  let left = names.filter((name) => name !== reference);
  if (!reference.includes('@')) {
    const repository = repositoryOf(reference);
    const sameRepository = (name: string) => repositoryOf(name) === repository;
    if (!left.some((name) => !name.includes('@') && sameRepository(name))) {
      // The last tag of the repository takes the repository's digest references along.
      untagged.push(...left.filter(sameRepository));
      left = left.filter((name) => !sameRepository(name));
    }
  }
  return left.length > 0 ? { untagged, deleted: [] } : finish(request, untagged, [], true);
}

/** One tag, or none, and digests of that tag's repository only. */
function isSingleReference(image: KnownImage): boolean {
  if (image.tags.length + image.digests.length <= 1) return true;
  if (image.tags.length > 1) return false;
  const repository = repositoryOf(image.tags[0] ?? image.digests[0] ?? '');
  return image.digests.every((digest) => repositoryOf(digest) === repository);
}

function repositoryOf(reference: string): string {
  const at = reference.indexOf('@');
  return at >= 0 ? reference.slice(0, at) : reference.slice(0, reference.lastIndexOf(':'));
}

function refuseUsed({ typed, image, users }: RemovalRequest): void {
  const user = users.find((each) => each.imageId === image.id);
  if (user === undefined) return;
  throw new TsrunError(
    'IN_USE',
    `conflict: unable to remove repository reference "${typed}" (must force) - ` +
      `container ${short(user.id)} is using its referenced image ${short(image.id)}`,
    { step: 'image.remove', subject: typed, hint: `remove container ${user.name} first, or use -f` },
  );
}

/**
 * @param left names that the image still has
 * @param quiet a name was removed already: a conflict then ends the work without an error, unless the image would stay
 *   behind dangling and unused
 */
function finish(request: RemovalRequest, untagged: string[], left: string[], quiet: boolean): RemovalPlan {
  const { image, force } = request;
  const conflict = findConflict(request, image.id, { soft: !force, references: !force }, left);
  if (conflict !== undefined) {
    if (quiet && (conflict.used || childrenOf(request, image.id, []).length > 0))
      return { untagged, deleted: [] };
    throw conflictError(image.id, conflict);
  }
  const all = [...untagged, ...left.filter((name) => !untagged.includes(name))];
  return { untagged: all, deleted: [image.id, ...(request.prune ? danglingParents(request) : [])] };
}

/** Untagged ancestors that nothing else needs, nearest first. */
function danglingParents(request: RemovalRequest): ImageId[] {
  const gone: ImageId[] = [request.image.id];
  let parentId = request.image.parent;
  while (parentId !== undefined) {
    const parent = request.images.find((each) => each.id === parentId);
    if (parent === undefined || parent.tags.length + parent.digests.length > 0) break;
    if (childrenOf(request, parent.id, gone).length > 0) break;
    if (request.users.some((user) => user.imageId === parent.id)) break;
    gone.push(parent.id);
    parentId = parent.parent;
  }
  return gone.slice(1);
}

function childrenOf({ images }: RemovalRequest, id: ImageId, gone: readonly ImageId[]): KnownImage[] {
  return images.filter((each) => each.parent === id && !gone.includes(each.id));
}

function refuseConflict(request: RemovalRequest, id: ImageId, mask: Mask, left: string[]): void {
  const conflict = findConflict(request, id, mask, left);
  if (conflict !== undefined) throw conflictError(id, conflict);
}

function findConflict(
  request: RemovalRequest,
  id: ImageId,
  mask: Mask,
  left: string[],
): Conflict | undefined {
  if (childrenOf(request, id, []).length > 0)
    return { hard: true, used: false, message: 'image has dependent child images' };
  const users = request.users.filter((user) => user.imageId === id);
  const running = users.find((user) => user.running);
  if (running !== undefined)
    return {
      hard: true,
      used: true,
      message: `image is being used by running container ${short(running.id)}`,
    };
  if (mask.references && left.length > 0)
    return { hard: false, used: false, message: 'image is referenced in multiple repositories' };
  const [stopped] = users;
  if (mask.soft && stopped !== undefined)
    return {
      hard: false,
      used: true,
      message: `image is being used by stopped container ${short(stopped.id)}`,
    };
  return undefined;
}

function conflictError(id: ImageId, { hard, message }: Conflict): TsrunError {
  const force = hard ? 'cannot be forced' : 'must be forced';
  return new TsrunError('IN_USE', `conflict: unable to delete ${short(id)} (${force}) - ${message}`, {
    step: 'image.remove',
    subject: id,
  });
}

function short(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
