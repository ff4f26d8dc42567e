/** HTTPS_PROXY, HTTP_PROXY and NO_PROXY as Go programs read them: Node 20 reads none of them. Pure. */
import { isIP } from 'node:net';
import { TsrunError } from '../errors.js';
import { isLoopbackHost, literalOf } from './addresses.js';
import type { Environment } from './credentials.js';

/** The proxy for `url`, or undefined. Loopback is always asked directly. */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const value =
    url.protocol === 'https:' ? (env.HTTPS_PROXY ?? env.https_proxy) : (env.HTTP_PROXY ?? env.http_proxy);
  if (!value || isLoopbackHost(url.hostname) || isExcluded(url, env.NO_PROXY ?? env.no_proxy ?? ''))
    return undefined;
  try {
    return new URL(/^[a-z0-9]+:\/\//i.test(value) ? value : `http://${value}`);
  } catch (error) {
    throw new TsrunError('USAGE', `the proxy ${JSON.stringify(value)} is not a URL`, {
      step: 'registry.proxy',
      subject: value,
      cause: error,
    });
  }
}

function isExcluded(url: URL, list: string): boolean {
  const host = literalOf(url.hostname) ?? url.hostname.toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isIP(host) === 4 && inNet(entry, host);
  const [, name = entry, wantedPort] = /^(\[[^\]]*\]|[^:]+):(\d+)$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const bare = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
  const subdomainsOnly = name.startsWith('.') || name.startsWith('*.');
  if (isIP(host) !== 0) return host === bare;
  return host.endsWith(`.${bare}`) || (!subdomainsOnly && host === bare);
}

function inNet(entry: string, host: string): boolean {
  const [net = '', bits = ''] = entry.split('/');
  if (isIP(net) !== 4 || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return false;
  const mask = Number(bits) === 0 ? 0 : (-1 << (32 - Number(bits))) >>> 0;
  return (numberOf(net) & mask) === (numberOf(host) & mask);
}

function numberOf(ipv4: string): number {
  return ipv4.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) | 0;
}
