/** Planned mounts as config.json and inspect have them. */
import { TsrunError } from '../errors.js';
import type { HostFacts } from '../host/facts.js';
import type { VolumeDevice } from '../intent/volume-options.js';
import type { ContainerInspect } from '../types/engine.js';
import type { SpecMount } from '../types/oci.js';
import type { PlannedMount } from './mounts.js';

/** Read-only is recursive where the kernel has mount_setattr: then nothing below such a bind is writable either. */
export function specMount(mount: PlannedMount, kernel: HostFacts['kernel']): SpecMount {
  const { destination, source, recursion, readonly } = mount;
  if (mount.device !== undefined) return deviceMount(mount, mount.device);
  if (mount.type === 'tmpfs') return { destination, type: 'tmpfs', source: 'tmpfs', options: mount.options };
  const options = [recursion === 'disabled' ? 'bind' : 'rbind', mount.propagation ?? 'rprivate'];
  if (readonly) options.push(readonlyOption(mount, kernel));
  return { destination, type: 'bind', source, options };
}

function deviceMount({ destination, readonly }: PlannedMount, device: VolumeDevice): SpecMount {
  const { type, source } = device;
  const options = [...device.options, ...(readonly ? ['ro'] : [])];
  if (type === 'bind') return { destination, type, source, options: [...options, 'rprivate'] };
  // As the kernel makes it where nothing was: the directory below says nothing about it.
  if (device.fleeting && !options.some((word) => word.startsWith('mode='))) options.push('mode=1777');
  return { destination, type, source, options };
}

function readonlyOption({ destination, recursion }: PlannedMount, kernel: HostFacts['kernel']): string {
  if (recursion === 'disabled' || recursion === 'writable') return 'ro';
  // mount_setattr came with 5.12.
  const canRecurse = kernel.major > 5 || (kernel.major === 5 && kernel.minor >= 12);
  if (canRecurse) return 'rro';
  if (recursion !== 'readonly') return 'ro';
  throw new TsrunError('HOST', `recursive read-only mounts need Linux 5.12 or later`, {
    step: 'plan',
    subject: destination,
    hint: 'leave bind-recursive=readonly out',
  });
}

/** What the root of the container needs to be so that the mounts in it can propagate as asked. */
export function rootPropagation(mounts: readonly PlannedMount[]): string | undefined {
  const asked = mounts.map(({ propagation = '' }) => propagation.replace(/^r/, ''));
  return ['shared', 'slave'].find((name) => asked.includes(name));
}

/** `Mounts` of inspect. */
export function inspectMounts(mounts: readonly PlannedMount[]): ContainerInspect['Mounts'] {
  const listed = mounts.filter(({ unlisted }) => !unlisted);
  const ordered = listed.sort((a, b) => (a.destination < b.destination ? -1 : 1));
  return ordered.map(({ type, name, source, destination, mode, readonly, propagation }) => ({
    Type: type,
    ...(type === 'volume' ? { Name: name } : {}),
    Source: source,
    Destination: destination,
    ...(type === 'volume' ? { Driver: 'local' } : {}),
    Mode: mode,
    RW: !readonly,
    Propagation: type === 'bind' ? (propagation ?? 'rprivate') : '',
  }));
}
