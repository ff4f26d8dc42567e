/** What is wrong with a store and what is to be done about it: from what was seen alone, no effects. */
import { hexOf } from '../types/ids.js';
import {
  type ContainerFacts,
  type ImageFacts,
  imagesOn,
  type Judgement,
  type LayerFacts,
  originIn,
  originOf,
  ownersOf,
  presentLayers,
  type Remedy,
  type StoreFacts,
  wantedSize,
} from './store-check-facts.js';
import { judgeContainer, judgeVolume } from './store-check-state.js';

export const PULL_AGAIN = 'pull or load the image again';

/** In the order in which the remedies have to be applied. */
export function judgeStore(facts: StoreFacts): Judgement[] {
  return [
    ...judgeRoot(facts),
    ...judgeBlobs(facts),
    ...judgeLayers(facts),
    ...judgeUnpacked(facts),
    ...facts.images.flatMap(judgeDocuments),
    ...facts.containers.flatMap((container) => judgeContainer(container, presentLayers(facts))),
    ...facts.volumes.flatMap(judgeVolume),
    ...facts.leftovers.map(
      ({ path, reason }): Judgement => ({ kind: 'leftover', subject: path, problem: reason, affects: [] }),
    ),
  ];
}

function judgeRoot({ indexWhole, initLayer, containers }: StoreFacts): Judgement[] {
  const found: Judgement[] = [];
  if (!indexWhole)
    found.push({
      kind: 'index',
      subject: 'index.json',
      problem: 'the image database cannot be read',
      affects: [],
      remedy: { do: 'rebuild-index' },
    });
  if (initLayer.length > 0)
    found.push({
      kind: 'layer',
      subject: 'init-v1',
      problem: `missing or changed: ${initLayer.join(', ')}`,
      affects: [],
      ...unlessRunning(containers, { do: 'rebuild-init-layer' }),
    });
  return found;
}

/** A layer that somebody is looking through stays where it is. */
function unlessRunning(users: readonly ContainerFacts[], remedy: Remedy): Pick<Judgement, 'remedy' | 'hint'> {
  const running = users.filter(({ alive }) => alive).map(({ name }) => name);
  return running.length === 0 ? { remedy } : { hint: `stop ${running.join(', ')}, then repair` };
}

function judgeBlobs(facts: StoreFacts): Judgement[] {
  const found: Judgement[] = [];
  for (const [hex, blob] of facts.blobs) {
    const owners = ownersOf(facts, hex);
    const wanted = wantedSize(facts, hex);
    const cut = wanted !== undefined && wanted !== blob.size;
    if (!blob.damaged && !cut) continue;
    const packed = packedFrom(facts, hex);
    found.push({
      kind: 'blob',
      subject: `sha256:${hex}`,
      problem: cut ? `has ${blob.size} bytes in place of ${wanted}` : 'its bytes are not those of its digest',
      affects: owners,
      remedy: packed ?? { do: 'remove-blob', hex },
      ...(owners.length > 0 ? { hint: PULL_AGAIN } : {}),
    });
  }
  return [...found, ...missingBlobs(facts)];
}

function missingBlobs(facts: StoreFacts): Judgement[] {
  const wanted = new Set(facts.images.flatMap(({ layers }) => layers.map(({ digest }) => hexOf(digest))));
  return [...wanted]
    .filter((hex) => !facts.blobs.has(hex))
    .map((hex) => {
      const remedy = packedFrom(facts, hex);
      return {
        kind: 'blob',
        subject: `sha256:${hex}`,
        problem: 'is missing',
        affects: ownersOf(facts, hex),
        ...(remedy === undefined ? {} : { remedy }),
        hint: PULL_AGAIN,
      };
    });
}

/** A layer that commit stored as it was packed: packing its directory again gives the same bytes. */
function packedFrom({ images, layers }: StoreFacts, hex: string): Remedy | undefined {
  const layer = images
    .flatMap((image) => image.layers)
    .find(({ digest, diffId }) => hexOf(digest) === hex && hexOf(diffId) === hex);
  const whole = layers.some(({ key, problem }) => key === layer?.key && problem === undefined);
  if (layer?.key === undefined || !whole) return undefined;
  return { do: 'repack-blob', digest: layer.digest, key: layer.key };
}

/** Directories below layers/. Those of one stack come bottom first, as each is unpacked over those below it. */
function judgeLayers(facts: StoreFacts): Judgement[] {
  const order = new Map<string, number>();
  for (const { layers } of facts.images)
    for (const [i, { key, chainId }] of layers.entries()) {
      for (const name of [key ?? hexOf(chainId), hexOf(chainId)])
        order.set(name, Math.max(i, order.get(name) ?? 0));
    }
  return facts.layers
    .filter(({ problem }) => problem !== undefined)
    .sort((a, b) => (order.get(a.key) ?? 0) - (order.get(b.key) ?? 0))
    .map((layer) => judgeLayer(facts, layer));
}

function judgeLayer(facts: StoreFacts, layer: LayerFacts): Judgement {
  const { key, problem = '' } = layer;
  const users = facts.containers.filter(({ layers }) => layers.includes(key));
  const origin = originOf(facts, layer);
  const remedy: Remedy | undefined =
    origin !== undefined
      ? { do: 'rebuild-layer', key, origin }
      : layer.unproved === true
        ? undefined
        : { do: 'quarantine-layer', key };
  return {
    kind: 'layer',
    subject: key,
    problem,
    affects: [...imagesOn(facts, key), ...users.map(({ name }) => name)],
    ...(remedy === undefined ? {} : unlessRunning(users, remedy)),
    ...(origin === undefined ? { hint: 'pull or load its image again, then check again' } : {}),
  };
}

/** Layers of images that have no directory: a pull, or a run, would unpack them too. */
function judgeUnpacked(facts: StoreFacts): Judgement[] {
  const found = new Map<string, Judgement>();
  const judged = new Set(facts.layers.filter(({ problem }) => problem !== undefined).map(({ key }) => key));
  for (const image of facts.images)
    for (const [i, { key, diffId, chainId }] of image.layers.entries()) {
      if (key !== undefined || judged.has(hexOf(diffId)) || judged.has(hexOf(chainId))) continue;
      if (found.has(chainId)) continue;
      const origin = originIn(facts, image, i);
      found.set(chainId, {
        kind: 'layer',
        subject: hexOf(diffId),
        problem: 'is not unpacked',
        affects: image.names,
        ...(origin === undefined
          ? { hint: PULL_AGAIN }
          : { remedy: { do: 'rebuild-layer', origin } as const }),
      });
    }
  return [...found.values()];
}

function judgeDocuments(image: ImageFacts): Judgement[] {
  const { manifest, names, unreadable } = image;
  if (unreadable.length === 0) return [];
  return [
    {
      kind: 'image',
      subject: manifest,
      problem: unreadable.map(({ digest, problem }) => `${digest} ${problem}`).join('; '),
      affects: names,
      remedy: { do: 'drop-image', manifest },
      hint: PULL_AGAIN,
    },
  ];
}
