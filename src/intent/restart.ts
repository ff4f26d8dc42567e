/** `--restart POLICY[:MAX-RETRIES]`. */
import { flagError, usage } from './usage.js';

export interface RestartPolicy {
  name: 'no' | 'on-failure' | 'always' | 'unless-stopped';
  /** For on-failure; 0 = without end. */
  maxRetries: number;
}

const NAMES: readonly RestartPolicy['name'][] = ['no', 'on-failure', 'always', 'unless-stopped'];

/** @param rm `--rm`, which leaves nothing to restart. */
export function parseRestart(text: string | undefined, rm: boolean): RestartPolicy {
  const [policy, retries] = split(text ?? '');
  if (rm && policy !== '' && policy !== 'no') {
    throw flagError('conflicting options: cannot specify both --restart and --rm');
  }
  const name = policy === '' ? 'no' : NAMES.find((known) => known === policy);
  if (name === undefined) {
    throw usage(`invalid restart policy '${policy}'`, policy, `known: ${NAMES.join(', ')}`);
  }
  if (name !== 'on-failure' && retries !== 0) {
    throw usage(`maximum retry count cannot be used with restart policy '${name}'`, text);
  }
  if (retries < 0) throw usage('maximum retry count cannot be negative', text);
  return { name, maxRetries: retries };
}

function split(text: string): [policy: string, retries: number] {
  const at = text.indexOf(':');
  if (at < 0) return [text, 0];
  if (at === 0) throw flagError('invalid restart policy format: no policy provided before colon', text);
  const retries = text.slice(at + 1);
  if (!/^[+-]?\d{1,9}$/.test(retries)) {
    throw flagError('invalid restart policy format: maximum retry count must be an integer', text);
  }
  return [text.slice(0, at), Number(retries)];
}
