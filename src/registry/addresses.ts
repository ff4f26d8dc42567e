/** Which part of the network an address belongs to: a registry must not make us talk to a more private one. */
import { BlockList, isIP } from 'node:net';

/** From the most public to the most private. */
export const REACH = ['public', 'private', 'loopback', 'never'] as const;
export type Reach = (typeof REACH)[number];

const RANGES: [Reach, string, number, 'ipv4' | 'ipv6'][] = [
  ['never', '0.0.0.0', 8, 'ipv4'],
  ['never', '169.254.0.0', 16, 'ipv4'],
  ['never', '224.0.0.0', 3, 'ipv4'],
  ['never', 'fe80::', 10, 'ipv6'],
  ['never', 'ff00::', 8, 'ipv6'],
  ['never', '::', 128, 'ipv6'],
  ['loopback', '127.0.0.0', 8, 'ipv4'],
  ['loopback', '::1', 128, 'ipv6'],
  ['private', '10.0.0.0', 8, 'ipv4'],
  ['private', '172.16.0.0', 12, 'ipv4'],
  ['private', '192.168.0.0', 16, 'ipv4'],
  ['private', '100.64.0.0', 10, 'ipv4'],
  ['private', 'fc00::', 7, 'ipv6'],
];

/** Link-local (where clouds keep their metadata service) and unspecified addresses are `never`. */
export function reachOf(address: string): Reach {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const mapped = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(bare);
  if (mapped?.[1] !== undefined) return reachOf(mapped[1]);
  if (mapped?.[2] !== undefined && mapped[3] !== undefined) {
    const high = Number.parseInt(mapped[2], 16);
    const low = Number.parseInt(mapped[3], 16);
    return reachOf([high >> 8, high & 255, low >> 8, low & 255].join('.'));
  }
  const family = isIP(bare) === 6 ? 'ipv6' : 'ipv4';
  for (const [reach, net, prefix, type] of RANGES) {
    if (type !== family) continue;
    const list = new BlockList();
    list.addSubnet(net, prefix, type);
    if (list.check(bare, type)) return reach;
  }
  return 'public';
}

export function isTooPrivate(address: string, most: Reach): boolean {
  return REACH.indexOf(reachOf(address)) > REACH.indexOf(most);
}

/** The host as an IP literal, or undefined if it is a name. */
export function literalOf(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? undefined : bare;
}

/** "localhost", 127.0.0.0/8 and ::1: where plain http is acceptable without being asked for. */
export function isLoopbackHost(hostname: string): boolean {
  const literal = literalOf(hostname);
  return literal === undefined ? hostname === 'localhost' : reachOf(literal) === 'loopback';
}
