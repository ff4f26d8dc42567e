/** An image and the content of its layers -> what `image explore` shows. */
import type { ExploredLayer, ExploredStep, ImageExploration, ListedNode } from '../types/explore.js';
import type { ImageId } from '../types/ids.js';
import type { ImageConfig, Manifest } from '../types/oci.js';
import { LayerMerge } from './layer-merge.js';

export interface ExploreInput {
  id: ImageId;
  tags: string[];
  config: ImageConfig;
  manifest: Manifest;
  /** What is in each layer, bottom first. */
  layers: readonly (readonly ListedNode[])[];
}

export function planExplore({ id, tags, config, manifest, layers }: ExploreInput): ImageExploration {
  const merge = new LayerMerge();
  for (const layer of layers) merge.add(layer);
  const history = stepsOf(config, layers.length);
  const explored = merge.layers.map((merged, index): ExploredLayer => {
    const step = history.find(({ layer }) => layer === index);
    const blob = manifest.layers[index];
    return {
      diffId: config.rootfs.diff_ids[index] as ExploredLayer['diffId'],
      digest: blob?.digest as ExploredLayer['digest'],
      blobSize: blob?.size ?? 0,
      createdBy: step?.createdBy ?? '',
      ...(step?.created === undefined ? {} : { created: step.created }),
      ...(step?.comment === undefined ? {} : { comment: step.comment }),
      ...merged,
    };
  });
  return {
    version: 1,
    id,
    tags,
    architecture: config.architecture,
    os: config.os,
    ...(config.created === undefined ? {} : { created: config.created }),
    size: explored.reduce((sum, layer) => sum + layer.size, 0),
    wasted: explored.reduce((sum, layer) => sum + layer.wasted, 0),
    layers: explored,
    history,
    waste: merge.waste(),
  };
}

/** Histories may be missing, or tell of more layers or of fewer than there are. */
function stepsOf({ history = [] }: ImageConfig, layers: number): ExploredStep[] {
  let layer = 0;
  const steps = history.map((entry): ExploredStep => {
    const step: ExploredStep = { createdBy: entry.created_by ?? '' };
    if (entry.created !== undefined) step.created = entry.created;
    if (entry.comment) step.comment = entry.comment;
    if (entry.empty_layer !== true && layer < layers) step.layer = layer++;
    return step;
  });
  while (layer < layers) steps.push({ createdBy: '', layer: layer++ });
  return steps;
}
