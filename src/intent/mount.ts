/** `--mount type=…,src=…,dst=…`: what each type makes of the flag's fields. */
import { posix } from 'node:path';
import { type MountFields, parseMountFields } from './mount-fields.js';
import { TMPFS_DEFAULTS } from './tmpfs.js';
import { badFlag, usage } from './usage.js';
import { type ApiMount, checkVolumeName, destinationOf, type MountIntent, PROPAGATIONS } from './volume.js';

/** `cwd` makes `src=./x` absolute. */
export function parseMount(spec: string, cwd: string): MountIntent {
  let fields: MountFields;
  try {
    fields = parseMountFields(spec, cwd);
  } catch (error) {
    throw badFlag('--mount', spec, error instanceof Error ? error.message : String(error));
  }
  return intentOf(fields);
}

function intentOf(fields: MountFields): MountIntent {
  const refuse = (reason: string) =>
    usage(`invalid mount config for type "${fields.type}": ${reason}`, fields.target);
  switch (fields.type) {
    case 'bind':
      return bind(fields, refuse);
    case 'volume':
      return volume(fields, refuse);
    case 'tmpfs':
      return tmpfs(fields, refuse);
    default:
      throw refuse('mount type unknown');
  }
}

type Refuse = (reason: string) => Error;

function bind(fields: MountFields, refuse: Refuse): MountIntent {
  const { source, readonly = false } = fields;
  const destination = destinationOf(fields.target, refuse);
  if (source === '') throw refuse('field Source must not be empty');
  const propagation = PROPAGATIONS.find((name) => name === fields.propagation);
  if (fields.propagation !== undefined && propagation === undefined) {
    throw refuse(`invalid propagation mode: ${fields.propagation}`);
  }
  if (!source.startsWith('/')) {
    throw refuse(`invalid mount path: '${source}' mount path must be absolute`);
  }
  const recursion = fields.nonRecursive ? 'disabled' : fields.recursion;
  const options = {
    ...(propagation ? { Propagation: propagation } : {}),
    ...(recursion === 'disabled' ? { NonRecursive: true } : {}),
    ...(recursion === 'writable' ? { ReadOnlyNonRecursive: true } : {}),
    ...(recursion === 'readonly' ? { ReadOnlyForceRecursive: true } : {}),
  };
  return {
    kind: 'bind',
    source: posix.resolve(source),
    destination,
    readonly,
    mode: '',
    propagation,
    recursion,
    mustExist: true,
    api: apiMount(fields, 'BindOptions', options),
  };
}

function volume(fields: MountFields, refuse: Refuse): MountIntent {
  const { source, readonly = false, nocopy = false, subpath, labels, options, driver } = fields;
  const destination = destinationOf(fields.target, refuse);
  if (driver !== undefined && driver !== '' && driver !== 'local') {
    throw usage(`error looking up volume plugin ${driver}: plugin "${driver}" not found`, driver);
  }
  const api = apiMount(fields, 'VolumeOptions', {
    ...(nocopy ? { NoCopy: true } : {}),
    ...(labels ? { Labels: labels } : {}),
    ...(subpath ? { Subpath: subpath } : {}),
    ...(driver || options
      ? { DriverConfig: { ...(driver ? { Name: driver } : {}), ...(options ? { Options: options } : {}) } }
      : {}),
  });
  const common = { destination, readonly, mode: '', nocopy, labels, options, api };
  if (source === '') {
    if (readonly) throw refuse('must not set ReadOnly mode when using anonymous volumes');
    if (subpath) throw refuse('must not set Subpath when using anonymous volumes');
    return { kind: 'anonymous', ...common };
  }
  checkVolumeName(source);
  if (subpath) checkSubpath(subpath, refuse);
  return { kind: 'volume', source, subpath: subpath || undefined, ...common };
}

function checkSubpath(subpath: string, refuse: Refuse): void {
  const clean = posix.normalize(subpath);
  if (clean.startsWith('/') || clean === '..' || clean.startsWith('../')) {
    throw refuse('subpath must be a relative path within the volume');
  }
}

function tmpfs(fields: MountFields, refuse: Refuse): MountIntent {
  const destination = destinationOf(fields.target, refuse);
  if (fields.source !== '') throw refuse('field Source must not be specified');
  const { tmpfsSize, tmpfsMode, readonly } = fields;
  return {
    kind: 'tmpfs',
    destination,
    text: '',
    options: [
      ...TMPFS_DEFAULTS,
      ...(tmpfsMode === undefined ? [] : [`mode=${tmpfsMode.toString(8)}`]),
      ...(tmpfsSize ? [`size=${tmpfsSize}`] : []),
      ...(readonly ? ['ro'] : []),
    ],
    api: apiMount(fields, 'TmpfsOptions', {
      ...(tmpfsSize ? { SizeBytes: tmpfsSize } : {}),
      ...(tmpfsMode === undefined ? {} : { Mode: tmpfsMode }),
    }),
  };
}

function apiMount(fields: MountFields, group: string, options: object): ApiMount {
  return {
    Type: fields.type,
    ...(fields.source ? { Source: fields.source } : {}),
    Target: fields.target,
    ...(fields.readonly ? { ReadOnly: true } : {}),
    ...(fields.consistency ? { Consistency: fields.consistency } : {}),
    ...(Object.keys(options).length > 0 ? { [group]: options } : {}),
  };
}
