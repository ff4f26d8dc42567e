/** Devices are named by paths: before each start their numbers are looked up anew, since a reboot may have changed them. */
import { readFileSync } from 'node:fs';
import { findDevices } from '../host/devices.js';
import { deviceWishes, planDevices } from '../plan/devices.js';
import { specText } from '../plan/spec-text.js';
import { type ContainerRecord, replaceFile } from '../store/containers.js';
import type { RuntimeSpec } from '../types/oci.js';
import type { EngineContext } from './context.js';

/** @throws TsrunError USAGE for a device that is gone */
export function refreshDevices(ctx: EngineContext, { id, hostConfig }: ContainerRecord): void {
  const wishes = deviceWishes(hostConfig);
  if (wishes === undefined) return;
  const { config } = ctx.paths.container(id);
  const text = readFileSync(config, 'utf8');
  const spec = JSON.parse(text) as RuntimeSpec;
  const { nodes, rules } = planDevices(wishes, { find: findDevices });
  const { linux } = spec;
  const fresh = specText({
    ...spec,
    linux: { ...linux, devices: nodes, resources: { ...linux.resources, devices: rules } },
  });
  if (fresh !== text) replaceFile(config, fresh, 0o600);
}
