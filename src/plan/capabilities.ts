/** Which capabilities a container's bounding set has. */
import { TsrunError } from '../errors.js';
import type { HostFacts } from '../host/facts.js';
import type { Security } from '../intent/security.js';
import type { SpecCapabilities } from '../types/oci.js';
import { CAPABILITIES } from './profile.js';

export interface PlannedCapabilities {
  names: string[];
  warnings: string[];
}

const ALL = 'ALL';

/**
 * ALL, and --privileged, mean all that we have ourselves.
 * @throws TsrunError HOST for one that was asked for by name and is not ours to give
 */
export function planCapabilities(security: Security, { capabilities: own }: HostFacts): PlannedCapabilities {
  const { privileged, capAdd, capDrop } = security;
  if (privileged) return { names: [...own], warnings: [] };
  const added = capAdd.filter((name) => name !== ALL);
  const missing = added.find((name) => !own.includes(name));
  if (missing !== undefined) throw notOurs(missing);
  if (capAdd.includes(ALL)) return { names: own.filter((name) => !capDrop.includes(name)), warnings: [] };
  if (capDrop.includes(ALL)) return { names: added, warnings: [] };
  const wanted = CAPABILITIES.filter((name) => !capDrop.includes(name));
  const lacking = wanted.filter((name) => !own.includes(name));
  const names = [...wanted.filter((name) => own.includes(name)), ...added];
  return {
    names: [...new Set(names)],
    warnings:
      lacking.length > 0
        ? [`not in our own bounding set, so not given to the container: ${lacking.join(', ')}`]
        : [],
  };
}

function notOurs(name: string): TsrunError {
  return new TsrunError('HOST', `unable to apply caps: ${name}: operation not permitted`, {
    step: 'plan',
    errno: 'EPERM',
    subject: name,
    hint: 'it is not in our own bounding set: whoever started us took it away',
  });
}

/** Inheritable and ambient stay empty: with them an unprivileged user inside would gain what only files may give (CVE-2022-24769). */
export function capabilitySets(names: string[]): SpecCapabilities {
  return { bounding: names, effective: names, permitted: names, inheritable: [], ambient: [] };
}
