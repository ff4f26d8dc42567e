/** What containers hold on to, for whoever removes images. */
import type { ImageUser } from '../plan/remove-image.js';
import { listIds, probeAlive, readRecord } from '../store/containers.js';
import type { Store } from '../store/staging.js';

export function imageUsers({ paths, native }: Store): ImageUser[] {
  const ids = listIds(paths);
  const alive = probeAlive(native, paths, ids);
  return ids.flatMap((id, i) => {
    const record = readRecord(paths, id);
    return record ? [{ id, name: record.name, imageId: record.image.id, running: alive[i] === true }] : [];
  });
}

/** Keys of the layers that containers are stacked on. */
export function usedLayers({ paths }: Store): Set<string> {
  return new Set(listIds(paths).flatMap((id) => readRecord(paths, id)?.layers ?? []));
}
