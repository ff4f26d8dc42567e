/** The host's files that say how names are resolved: all that a start needs to know of the machine. */
import { type HostSource, thisMachine } from './source.js';

const SYSTEMD_UPSTREAM = '/run/systemd/resolve/resolv.conf';

export function probeNames(source: HostSource = thisMachine): {
  hosts: string;
  resolvConf: string;
  /** The servers behind a local stub (systemd-resolved), where there is one. */
  upstreamResolvConf?: string;
} {
  const resolvConf = source.read('/etc/resolv.conf') ?? '';
  return {
    hosts: source.read('/etc/hosts') ?? '',
    resolvConf,
    upstreamResolvConf: resolvConf.includes('127.0.0.53') ? source.read(SYSTEMD_UPSTREAM) : undefined,
  };
}
