/** /etc/hosts, /etc/hostname and /etc/resolv.conf of a container, before it has an address. */
import type { NetworkMode } from '../intent/run.js';

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

/** On the host's network a container sees the host's files; else the helper adds the container's line to `hosts`. */
export function planNameFiles(network: NetworkMode, hostname: string, host: HostNameFiles): NameFiles {
  const own = `${hostname}\n`;
  if (network === 'host') return { hostname: own, hosts: host.hosts, resolvConf: host.resolvConf };
  return { hostname: own, hosts: STANDARD_HOSTS, resolvConf: containerResolvConf(host) };
}

const STANDARD_HOSTS = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

const PUBLIC_SERVERS = `# The host names no server that a container can reach: public ones are used.
nameserver 8.8.8.8
nameserver 8.8.4.4
`;

/**
 * The host's, without servers that a container cannot reach: those on the host's loopback, and IPv6 ones, since the
 * default bridge is IPv4 only. If a local stub is all there is, the servers behind it are taken.
 */
export function containerResolvConf({
  resolvConf,
  upstreamResolvConf,
}: Omit<HostNameFiles, 'hosts'>): string {
  const own = reachable(resolvConf);
  if (own.servers > 0) return own.text;
  const upstream = upstreamResolvConf === undefined ? undefined : reachable(upstreamResolvConf);
  if (upstream !== undefined && upstream.servers > 0) return upstream.text;
  return own.text + PUBLIC_SERVERS;
}

function reachable(text: string): { text: string; servers: number } {
  const lines: string[] = [];
  let servers = 0;
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const server = /^nameserver\s+(\S+)/.exec(line)?.[1];
    if (server !== undefined && !isReachable(server)) continue;
    if (server !== undefined) servers += 1;
    lines.push(`${line}\n`);
  }
  return { text: lines.join(''), servers };
}

function isReachable(server: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(server) && !server.startsWith('127.') && server !== '0.0.0.0';
}
