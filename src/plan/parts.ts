/** Decisions that more than one document of a container shows. */
import { type PlannedCapabilities, planCapabilities } from './capabilities.js';
import { type PlannedDevices, planDevices } from './devices.js';
import type { PlanInput } from './input.js';
import { type PlannedLimits, planLimits } from './limits.js';
import { type PlannedNamespaces, planNamespaces } from './namespaces.js';

export interface Parts {
  namespaces: PlannedNamespaces;
  capabilities: PlannedCapabilities;
  limits: PlannedLimits;
  devices: PlannedDevices;
}

export function planParts({ intent, facts, peers, devices }: PlanInput): Parts {
  return {
    namespaces: planNamespaces(intent, peers),
    capabilities: planCapabilities(intent.security, facts),
    limits: planLimits(intent.limits, facts),
    devices: planDevices({ ...intent, privileged: intent.security.privileged }, devices),
  };
}
