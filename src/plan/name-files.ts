/** /etc/hosts, /etc/hostname and /etc/resolv.conf of a container, before it has an address. */
import { type ExtraHost, HOST_GATEWAY, type Resolver } from '../intent/resolver.js';
import type { NetworkMode } from '../intent/run.js';
import { usage } from '../intent/usage.js';
import { planResolvConf } from './resolv-conf.js';

export interface NameFiles {
  hostname: string;
  hosts: string;
  resolvConf: string;
}

export interface HostNameFiles {
  hosts: string;
  resolvConf: string;
  upstreamResolvConf?: string;
}

export interface Names {
  network: NetworkMode;
  hostname: string;
  extraHosts: readonly ExtraHost[];
  resolver: Resolver;
}

/** On the host's network a container sees the host's files; else the helper adds the container's line to `hosts`. */
export function planNameFiles(names: Names, host: HostNameFiles): NameFiles {
  const { network, extraHosts, resolver } = names;
  const extra = extraHostLines(network, extraHosts)
    .map((line) => `${line}\n`)
    .join('');
  const base = network === 'host' ? withNewline(host.hosts) : STANDARD_HOSTS;
  return {
    hostname: `${names.hostname}\n`,
    hosts: base + extra,
    resolvConf: planResolvConf(network, resolver, host),
  };
}

/**
 * "address\tname" for each. On a bridge {@link HOST_GATEWAY} stays in the place of the address: only the helper knows it.
 * @throws TsrunError USAGE where there is no way to the host
 */
export function extraHostLines(network: NetworkMode, extraHosts: readonly ExtraHost[]): string[] {
  return extraHosts.map(({ name, address }) => {
    if (address !== HOST_GATEWAY || network === 'bridge') return `${address}\t${name}`;
    if (network === 'host') return `127.0.0.1\t${name}`;
    throw usage(
      `${HOST_GATEWAY} for "${name}": from the network ${network} there is no way to the host`,
      name,
    );
  });
}

function withNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

const STANDARD_HOSTS = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;
