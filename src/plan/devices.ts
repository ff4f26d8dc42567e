/** Devices beyond the default ones: nodes to make, and rules that let them be used. */
import { posix } from 'node:path';
import type { RunIntent } from '../intent/run.js';
import type { SpecDevice, SpecDeviceRule } from '../types/oci.js';
import type { DeviceSource } from './lookups.js';
import { deviceRules } from './profile.js';

export interface PlannedDevices {
  nodes: SpecDevice[];
  rules: SpecDeviceRule[];
}

/** @throws TsrunError USAGE for a device that is not there */
export function planDevices(intent: RunIntent, source: DeviceSource): PlannedDevices {
  const named = intent.devices.flatMap(({ host, container, permissions }) =>
    source.find(host).map((node) => ({
      node: nodeOf(node, posix.join(container, node.path.slice(host.length))),
      permissions,
    })),
  );
  const nodes = new Map(named.map(({ node }) => [node.path, node]));
  if (intent.security.privileged)
    return { nodes: [...nodes.values()], rules: [{ allow: true, access: 'rwm' }] };
  return {
    nodes: [...nodes.values()],
    rules: [
      ...deviceRules(),
      ...named.map(({ node, permissions }) => ruleOf(node, permissions)),
      ...intent.deviceRules.map(({ rule }) => rule),
    ],
  };
}

function nodeOf(
  { type, major, minor, mode, uid, gid }: ReturnType<DeviceSource['find']>[number],
  path: string,
): SpecDevice {
  return { type, path, major, minor, fileMode: mode, uid, gid };
}

function ruleOf({ type, major, minor }: SpecDevice, access: string): SpecDeviceRule {
  return { allow: true, type: type === 'b' ? 'b' : 'c', major, minor, access };
}
