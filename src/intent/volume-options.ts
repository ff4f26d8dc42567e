/** `-o type=… -o device=… -o o=…` of a volume of the local driver: what is mounted in place of a plain directory. */
import { TsrunError } from '../errors.js';
import { ipVersion } from './ip.js';

export interface VolumeDevice {
  /** "bind", or a file system: tmpfs, nfs, ext4, … */
  type: string;
  /** Device, absolute directory or remote path. */
  source: string;
  /** As of mount(8). */
  options: string[];
  /** Each mount of it is another one, with nothing in it. */
  fleeting: boolean;
}

const KNOWN = ['type', 'o', 'device'];

/**
 * undefined without options.
 * @throws TsrunError USAGE in Docker's words
 */
export function parseVolumeOptions(
  name: string,
  options: Readonly<Record<string, string>>,
): VolumeDevice | undefined {
  const keys = Object.keys(options);
  if (keys.length === 0) return undefined;
  const strange = keys.find((key) => !KNOWN.includes(key));
  if (strange !== undefined) throw refused(name, `invalid option: "${strange}"`);
  for (const key of ['device', 'type'])
    if (!options[key]) throw refused(name, `missing required option: "${key}"`);
  const { type = '', device = '', o = '' } = options;
  const words = o.split(',').filter((word) => word !== '');
  const binds = words.some((word) => word === 'bind' || word === 'rbind');
  if (type === 'none' && !binds)
    throw refused(name, `type "none" mounts nothing by itself`, 'for a directory of the host: -o o=bind');
  if (binds && !device.startsWith('/')) throw refused(name, `device ${device} is not an absolute path`);
  checkAddress(name, words);
  return {
    type: binds ? 'bind' : type,
    source: device,
    options: words,
    fleeting: !binds && (type === 'tmpfs' || type === 'ramfs'),
  };
}

/** The kernel looks up no names. */
function checkAddress(name: string, words: readonly string[]): void {
  const address = words.find((word) => word.startsWith('addr='))?.slice('addr='.length);
  if (address !== undefined && ipVersion(address) === undefined)
    throw refused(
      name,
      `addr=${address} is not an IP address`,
      'give the address of the server, not its name',
    );
}

function refused(name: string, message: string, hint?: string): TsrunError {
  return new TsrunError('USAGE', `create ${name}: ${message}`, {
    step: 'volume.create',
    subject: name,
    hint,
  });
}
