/** Picks the manifest for a platform from an index. Pure. */
import { TsrunError } from '../errors.js';
import { platformText } from '../intent/platform.js';
import type { Descriptor, Index, Platform } from '../types/oci.js';

const ATTESTATION = 'vnd.docker.reference.type';
/** What an ARM machine also runs, best first. */
const ARM_FALLBACK = ['v8', 'v7', 'v6', 'v5'];

/**
 * @param amd64Level 1 to 4: the x86-64 feature level of this CPU; an image for a higher one would crash
 * @throws TsrunError NOT_FOUND "no matching manifest for …"
 */
export function chooseManifest(index: Index, wanted: Platform, amd64Level: () => number): Descriptor {
  const candidates = index.manifests.filter(
    ({ platform, annotations, artifactType }) =>
      platform !== undefined &&
      artifactType === undefined &&
      annotations?.[ATTESTATION] === undefined &&
      platform.os === wanted.os &&
      platform.architecture === wanted.architecture,
  );
  for (const variant of acceptable(wanted, amd64Level)) {
    const hit = candidates.find(({ platform }) =>
      sameVariant(wanted.architecture, platform?.variant, variant),
    );
    if (hit !== undefined) return hit;
  }
  throw new TsrunError(
    'NOT_FOUND',
    `no matching manifest for ${platformText(wanted)} in the manifest list entries`,
    { step: 'image.platform', subject: platformText(wanted), hint: offered(index) },
  );
}

/** Variants in order of preference; '' is an entry without one. */
function* acceptable({ architecture, variant }: Platform, amd64Level: () => number): Generator<string> {
  if (architecture === 'arm') {
    const from = ARM_FALLBACK.indexOf(variant ?? 'v7');
    yield* from < 0 ? [variant ?? ''] : ARM_FALLBACK.slice(from);
    yield '';
  } else if (architecture === 'amd64') {
    if (variant !== undefined && variant !== 'v1') yield variant;
    yield '';
    if (variant !== undefined) return;
    // No baseline entry: the highest one that this CPU can run.
    for (let level = amd64Level(); level > 1; level -= 1) yield `v${level}`;
  } else {
    yield variant ?? '';
    if (variant !== undefined) yield '';
  }
}

function sameVariant(architecture: string, entry: string | undefined, wanted: string): boolean {
  const base = architecture === 'arm64' ? 'v8' : architecture === 'amd64' ? 'v1' : '';
  return (entry || base) === (wanted || base);
}

function offered({ manifests }: Index): string | undefined {
  const platforms = manifests.flatMap(({ platform }) =>
    platform === undefined || platform.os === 'unknown' ? [] : platformText(platform),
  );
  return platforms.length === 0 ? undefined : `the image exists for ${[...new Set(platforms)].join(', ')}`;
}

/** x86-64 feature level from the "flags" line of /proc/cpuinfo. */
export function amd64LevelOf(cpuinfo: string): number {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.trim().split(/\s+/) ?? []);
  const levels = [
    ['cx16', 'lahf_lm', 'popcnt', 'pni', 'sse4_1', 'sse4_2', 'ssse3'],
    ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave'],
    ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'],
  ];
  const missing = levels.findIndex((needed) => needed.some((flag) => !flags.has(flag)));
  return missing < 0 ? 4 : missing + 1;
}
