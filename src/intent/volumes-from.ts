/** `--volumes-from CONTAINER[:MODE]`. */
import { usage } from './usage.js';
import { parseVolumeMode } from './volume.js';

export interface VolumesFrom {
  /** As typed, for inspect. */
  text: string;
  container: string;
  /** undefined = as they are in that container */
  readonly?: boolean;
}

export function parseVolumesFrom(text: string): VolumesFrom {
  if (text === '') throw usage('volumes-from specification cannot be an empty string');
  const at = text.indexOf(':');
  if (at < 0) return { text, container: text };
  const mode = text.slice(at + 1);
  const options = parseVolumeMode(mode);
  if (options === undefined) throw usage(`invalid mode: ${mode}`, text);
  return { text, container: text.slice(0, at), readonly: options.has('ro') };
}
