/** `ps`: the containers, newest first, with their derived states. */
import { TsrunError } from '../errors.js';
import { canonical, parseReference, withDefaultTag } from '../intent/reference.js';
import { imageEntries } from '../store/images.js';
import type { ContainerSummary, PsOptions } from '../types/engine.js';
import { hexOf, type ImageId } from '../types/ids.js';
import type { EngineContext } from './context.js';
import { applyFilters, type FilterFacts, wantsAll } from './ps-filters.js';
import { resolveContainer } from './resolve.js';
import { findImage } from './resolve-image.js';
import { treeSize } from './size.js';
import { type ContainerView, statusOf, viewAll } from './view.js';

const SHORT = 12;

export function ps(ctx: EngineContext, options: PsOptions = {}): ContainerSummary[] {
  const { filters = {}, last = 0 } = options;
  const views = viewAll(ctx).sort((a, b) => (a.record.created < b.record.created ? 1 : -1));
  const all = options.all === true || last > 0 || wantsAll(filters);
  const shown = applyFilters(views, filters, factsOf(ctx)).filter((view) => all || view.live !== undefined);
  const imageName = imageNamer(ctx);
  const now = new Date();
  return (last > 0 ? shown.slice(0, last) : shown).map((view) =>
    summaryOf(ctx, view, imageName, now, options.size),
  );
}

function summaryOf(
  ctx: EngineContext,
  view: ContainerView,
  imageName: (reference: string, id: ImageId) => string,
  now: Date,
  size: boolean | undefined,
): ContainerSummary {
  const { record } = view;
  const sizeRw = size === true ? treeSize(ctx.paths.container(record.id).upper) : undefined;
  return {
    id: record.id,
    names: [record.name],
    image: imageName(record.image.reference, record.image.id),
    imageId: record.image.id,
    command: commandText(record.path, record.args),
    created: record.created,
    state: view.state,
    status: statusOf(view, now),
    ports:
      view.live === undefined || record.network === 'host'
        ? []
        : Object.keys(record.config.ExposedPorts ?? {}).sort(),
    labels: record.config.Labels ?? {},
    mounts: record.mounts.map((mount) => mount.Name ?? mount.Source),
    networks: [record.network],
    ...(sizeRw === undefined ? {} : { sizeRw, sizeRootFs: sizeRw + record.imageSize }),
  };
}

/** As Docker writes it: an argument with a blank in it stands in single quotes. */
export function commandText(path: string, args: readonly string[]): string {
  return [path, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}

/** The reference a container was made from, or the short id once that reference means another image or none. */
function imageNamer(ctx: EngineContext): (reference: string, id: ImageId) => string {
  const current = new Map<string, ImageId | undefined>();
  for (const entry of imageEntries(ctx.paths))
    if (entry.reference !== undefined) current.set(entry.reference, entry.imageId);
  const known = new Map<string, string>();
  return (reference, id) => {
    const key = `${reference} ${id}`;
    const name =
      known.get(key) ?? (isCurrent(current, reference, id) ? reference : hexOf(id).slice(0, SHORT));
    known.set(key, name);
    return name;
  };
}

function isCurrent(current: Map<string, ImageId | undefined>, reference: string, id: ImageId): boolean {
  if (id.startsWith(reference) || hexOf(id).startsWith(reference)) return true;
  try {
    const name = canonical(withDefaultTag(parseReference(reference)));
    return current.has(name) && (current.get(name) ?? id) === id;
  } catch {
    return false;
  }
}

function factsOf(ctx: EngineContext): FilterFacts {
  return {
    createdOf: (container) => {
      try {
        return resolveContainer(ctx.paths, container).created;
      } catch (cause) {
        if (!(cause instanceof TsrunError && cause.code === 'NOT_FOUND')) throw cause;
        throw new TsrunError('NOT_FOUND', `no such container ${container}`, { subject: container, cause });
      }
    },
    imageOf: (reference) => {
      const found = findImage(ctx.paths, reference);
      if (found === undefined) return undefined;
      return { id: found.id, diffIds: found.config.rootfs.diff_ids };
    },
  };
}
