/** `--sysctl NAME=VALUE`: only settings that a namespace of the container confines. */
import { badFlag } from './usage.js';

const IPC = new Set(
  'kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni kernel.shm_rmid_forced'.split(
    ' ',
  ),
);

export function parseSysctls(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      const name = text.slice(0, Math.max(at, 0));
      // The `..` of a path would lead out of the part of /proc/sys that is confined.
      if (at < 0 || sysctlNamespace(name) === undefined || name.includes('/') || name.includes('..')) {
        throw badFlag('--sysctl', text, `sysctl '${text}' is not allowed`);
      }
      return [name, text.slice(at + 1)];
    }),
  );
}

/** Which namespace confines the setting; undefined = it is the whole machine's. */
export function sysctlNamespace(name: string): 'network' | 'ipc' | undefined {
  if (name.startsWith('net.')) return 'network';
  return IPC.has(name) || name.startsWith('fs.mqueue.') ? 'ipc' : undefined;
}
