/** What must hold before anything is created; in order, the first that does not is the answer. */
import { TsrunError } from '../errors.js';
import type { HostFacts } from '../host/facts.js';
import type { RunIntent } from '../intent/run.js';
import type { PlannedConfig } from './config.js';

/** The machine's part. */
export function checkHost(intent: RunIntent, facts: HostFacts): void {
  if (!facts.isRoot) {
    throw new TsrunError('HOST', 'permission denied: containers can only be made by root', {
      step: 'plan',
      errno: 'EPERM',
      hint: 'run it with sudo',
    });
  }
  if (intent.network === 'bridge' && !facts.hasNft) {
    throw new TsrunError('HOST', 'nft not found: the default network needs it', {
      step: 'plan',
      errno: 'ENOENT',
      subject: 'nft',
      hint: 'install the package nftables, or use --network none or --network host',
    });
  }
}

/** A NUL would silently end a string on the other side of the border. */
export function checkTexts({ argv, env, cwd, config }: PlannedConfig): void {
  const texts: [string, string | undefined][] = [
    ...argv.map((text): [string, string] => ['argument', text]),
    ...env.map((text): [string, string] => ['environment variable', text]),
    ['working directory', cwd],
    ['user', config.User],
  ];
  for (const [what, text] of texts) {
    if (text?.includes('\0')) {
      throw new TsrunError('FORMAT', `${what} ${JSON.stringify(text)} holds a NUL byte`, {
        step: 'plan',
        subject: what,
      });
    }
  }
}
