/** `--add-host`, `--dns`, `--dns-search`, `--dns-option`: what goes into /etc/hosts and /etc/resolv.conf. */
import type { NameOptions } from '../types/run-options.js';
import { ipVersion } from './ip.js';
import { badFlag } from './usage.js';

/** Stands for the address at which a container reaches its host. */
export const HOST_GATEWAY = 'host-gateway';

export interface ExtraHost {
  name: string;
  /** An address, or {@link HOST_GATEWAY}. */
  address: string;
}

export interface Resolver {
  /** [] = the host's servers */
  servers: string[];
  /** [] = the host's domains; "." among them = none */
  search: string[];
  options: string[];
}

/** `name:address` or `name=address`; an IPv6 address may stand in brackets. */
export function parseExtraHost(text: string): ExtraHost {
  const refuse = (reason: string) => badFlag('--add-host', text, reason);
  const at = /[:=]/.exec(text)?.index ?? -1;
  const name = text.slice(0, Math.max(at, 0));
  // A blank would make more names of one, a newline more lines.
  if (at < 0 || name === '' || /[\s#\0]/.test(name)) throw refuse(`bad format for add-host: "${text}"`);
  const given = text.slice(at + 1);
  const address = /^\[(.*)\]$/.exec(given)?.[1] ?? given;
  if (address !== HOST_GATEWAY && ipVersion(address) === undefined) {
    throw refuse(`invalid IP address in add-host: "${address}"`);
  }
  return { name, address };
}

export function parseResolver({ dns = [], dnsSearch = [], dnsOption = [] }: NameOptions): Resolver {
  return {
    servers: dns.map(parseServer),
    search: dnsSearch.map(parseDomain),
    options: dnsOption.map(parseOption),
  };
}

function parseServer(text: string): string {
  const server = text.trim();
  if (ipVersion(server) !== undefined) return server;
  throw badFlag('--dns', text, `IP address is not correctly formatted: ${text}`);
}

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?';
const DOMAIN = new RegExp(`^(?:${LABEL}\\.)*${LABEL}\\.?$`);
const DOMAIN_MAX = 255;

function parseDomain(text: string): string {
  const domain = text.trim();
  if (domain === '.') return domain;
  if (DOMAIN.test(domain) && domain.length <= DOMAIN_MAX && /[a-zA-Z]/.test(domain)) return domain;
  throw badFlag('--dns-search', text, `${text} is not a valid domain`);
}

function parseOption(text: string): string {
  if (/^[^\s\0]+$/.test(text)) return text;
  throw badFlag('--dns-option', text, `${JSON.stringify(text)} is not a resolver option`);
}
