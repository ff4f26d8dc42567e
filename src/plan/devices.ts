/** Devices beyond the default ones: nodes to make, and rules that let them be used. */
import { posix } from 'node:path';
import type { DeviceNode } from '../host/facts.js';
import { type DeviceIntent, type DeviceRule, parseDeviceRule } from '../intent/device.js';
import type { SpecDevice, SpecDeviceRule } from '../types/oci.js';
import type { DeviceSource } from './lookups.js';
import { deviceRules } from './profile.js';

export interface DeviceWishes {
  devices: readonly DeviceIntent[];
  deviceRules: readonly DeviceRule[];
  /** All that the host has, and may be used. */
  privileged: boolean;
}

export interface PlannedDevices {
  nodes: SpecDevice[];
  rules: SpecDeviceRule[];
}

/** @throws TsrunError USAGE for a device that is not there */
export function planDevices(wishes: DeviceWishes, source: DeviceSource): PlannedDevices {
  const all: DeviceIntent[] = wishes.privileged
    ? [{ host: '/dev', container: '/dev', permissions: 'rwm' }]
    : [];
  const named = [...all, ...wishes.devices].flatMap(({ host, container, permissions }) =>
    source.find(host).map((node) => ({
      node: nodeOf(node, posix.join(container, node.path.slice(host.length))),
      permissions,
    })),
  );
  // Of two for one place the last counts.
  const nodes = [...new Map(named.map(({ node }) => [node.path, node])).values()];
  if (wishes.privileged) return { nodes, rules: [{ allow: true, access: 'rwm' }] };
  return {
    nodes,
    rules: [
      ...deviceRules(),
      ...named.map(({ node, permissions }) => ruleOf(node, permissions)),
      ...wishes.deviceRules.map(({ rule }) => rule),
    ],
  };
}

/** What HostConfig says of them; undefined if that depends on nothing that could have changed. */
export function deviceWishes(hostConfig: Record<string, unknown>): DeviceWishes | undefined {
  const { Devices, DeviceCgroupRules, Privileged } = hostConfig;
  const devices = listOf(Devices).flatMap(deviceOf);
  if (devices.length === 0 && Privileged !== true) return undefined;
  const rules = listOf(DeviceCgroupRules).filter((text) => typeof text === 'string');
  return { devices, deviceRules: rules.map(parseDeviceRule), privileged: Privileged === true };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function deviceOf(value: unknown): DeviceIntent[] {
  if (typeof value !== 'object' || value === null) return [];
  const { PathOnHost, PathInContainer, CgroupPermissions } = value as Record<string, unknown>;
  if (typeof PathOnHost !== 'string' || typeof PathInContainer !== 'string') return [];
  return [{ host: PathOnHost, container: PathInContainer, permissions: String(CgroupPermissions) }];
}

function nodeOf({ type, major, minor, mode, uid, gid }: DeviceNode, path: string): SpecDevice {
  return { type, path, major, minor, fileMode: mode, uid, gid };
}

function ruleOf({ type, major, minor }: SpecDevice, access: string): SpecDeviceRule {
  return { allow: true, type: type === 'b' ? 'b' : 'c', major, minor, access };
}
