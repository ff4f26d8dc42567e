/** /etc/resolv.conf of a container: the host's, as far as a container can use it, under the user's wishes. */
import type { Resolver } from '../intent/resolver.js';
import type { NetworkMode } from '../intent/run.js';

interface HostResolver {
  resolvConf: string;
  upstreamResolvConf?: string;
}

export function planResolvConf(network: NetworkMode, wishes: Resolver, host: HostResolver): string {
  const { servers, search, options } = wishes;
  const unchanged = servers.length + search.length + options.length === 0;
  if (unchanged) return network === 'host' ? host.resolvConf : containerResolvConf(host);
  // With servers of the user's own nobody asks for the host's, nor for the public ones in their place.
  const base = network === 'host' || servers.length > 0 ? host.resolvConf : containerResolvConf(host);
  return composed(wishes, base);
}

/** In Docker's order: what the user gave, for the rest what `base` says. */
function composed({ servers, search, options }: Resolver, base: string): string {
  const lines = base.split('\n').map((line) => line.trim());
  const values = (keyword: RegExp) =>
    lines.flatMap((line) => {
      const match = keyword.exec(line);
      return match ? [line.slice(match[0].length)] : [];
    });
  const domains = search.length > 0 ? search : [values(/^(?:search|domain)\s+/).at(-1) ?? ''];
  const searchText = domains.join(' ').trim();
  const chosen = servers.length > 0 ? servers : values(/^nameserver\s+/);
  const optionText = (options.length > 0 ? options : [values(/^options\s+/).at(-1) ?? '']).join(' ');
  return [
    searchText === '' || searchText === '.' ? '' : `search ${searchText}\n`,
    ...chosen.map((server) => `nameserver ${server}\n`),
    optionText === '' ? '' : `options ${optionText}\n`,
  ].join('');
}

const PUBLIC_SERVERS = `# The host names no server that a container can reach: public ones are used.
nameserver 8.8.8.8
nameserver 8.8.4.4
`;

/**
 * The host's, without servers that a container cannot reach: those on the host's loopback, and IPv6 ones, since the
 * default bridge is IPv4 only. If a local stub is all there is, the servers behind it are taken.
 */
export function containerResolvConf({ resolvConf, upstreamResolvConf }: HostResolver): string {
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
