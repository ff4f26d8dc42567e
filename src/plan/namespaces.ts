/** Namespaces of a container: its own, the host's, or those of another container. */

import type { Join } from '../intent/namespaces.js';
import type { RunIntent } from '../intent/run.js';
import { sysctlNamespace } from '../intent/sysctl.js';
import { usage } from '../intent/usage.js';
import type { LaunchSpec } from '../native/launch.js';
import type { RuntimeSpec } from '../types/oci.js';
import type { Peer, PeerSource } from './lookups.js';
import { NETWORK_SYSCTLS } from './profile.js';

export interface PlannedNamespaces {
  /** For config.json; one that is joined is listed without a path. */
  list: RuntimeSpec['linux']['namespaces'];
  join?: LaunchSpec['join'];
  /** Modes as HostConfig shows them. */
  api: { PidMode: string; IpcMode: string; UTSMode: string; CgroupnsMode: string };
}

/** @throws TsrunError NOT_FOUND, or USAGE if the other one does not share */
export function planNamespaces({ namespaces, network }: RunIntent, peers: PeerSource): PlannedNamespaces {
  const { pid, ipc, uts, cgroup } = namespaces;
  const pidPeer = peerOf(pid, peers);
  const ipcPeer = peerOf(ipc, peers);
  if (ipcPeer !== undefined) checkShareable(ipcPeer);
  const join = {
    ...(pidPeer ? { pid: pidPeer.dir } : {}),
    ...(ipcPeer ? { ipc: ipcPeer.dir } : {}),
  };
  const types: [RuntimeSpec['linux']['namespaces'][number]['type'], boolean][] = [
    ['mount', true],
    ['network', network !== 'host'],
    ['uts', uts !== 'host'],
    ['pid', pid !== 'host'],
    ['ipc', ipc !== 'host'],
    // Also on cgroup v1, where Docker shares the host's view.
    ['cgroup', cgroup !== 'host'],
  ];
  return {
    list: types.filter(([, own]) => own).map(([type]) => ({ type })),
    ...(Object.keys(join).length > 0 ? { join } : {}),
    api: {
      PidMode: pidPeer ? `container:${pidPeer.id}` : pid === 'host' ? 'host' : '',
      IpcMode: ipcPeer ? `container:${ipcPeer.id}` : typeof ipc === 'string' ? ipc : '',
      UTSMode: uts === 'host' ? 'host' : '',
      CgroupnsMode: cgroup,
    },
  };
}

function peerOf(mode: string | Join, peers: PeerSource): Peer | undefined {
  return typeof mode === 'string' ? undefined : peers.find(mode.container);
}

/** What another one shares already can be shared once more. */
function checkShareable({ id, ipcMode }: Peer): void {
  if (ipcMode === 'shareable' || ipcMode === 'host' || ipcMode.startsWith('container:')) return;
  throw usage(
    `can't join IPC of container ${id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    id,
  );
}

/** The user's over those that every network of its own gets. @throws TsrunError USAGE for one of the host's namespace */
export function planSysctls({ sysctls, network, namespaces }: RunIntent): Record<string, string> {
  for (const name of Object.keys(sysctls)) {
    const where = sysctlNamespace(name);
    if (where === 'network' && network === 'host') {
      throw usage(`sysctl "${name}" not allowed in host network namespace`, name);
    }
    if (where === 'ipc' && namespaces.ipc === 'host') {
      throw usage(`sysctl "${name}" is not allowed in the hosts ipc namespace`, name);
    }
  }
  return { ...(network === 'host' ? {} : NETWORK_SYSCTLS), ...sysctls };
}
