/** `WWW-Authenticate`, and where credentials may go. Pure. */
import { isLoopbackHost, literalOf } from './addresses.js';

export interface Challenge {
  /** Lower case: "bearer", "basic". */
  readonly scheme: string;
  readonly params: Readonly<Record<string, string>>;
}

/** A header may hold several challenges, and there may be several headers; parameter values may be quoted or not. */
export function parseChallenges(header: string | string[] | undefined): Challenge[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '');
  const token = "[A-Za-z0-9!#$%&'*+.^_`|~-]+";
  const part = new RegExp(
    `\\s*,?\\s*(?:(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]*))|(${token})(?=\\s|$|,))`,
    'y',
  );
  const challenges: { scheme: string; params: Record<string, string> }[] = [];
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match === null) break;
    const [, name, quoted, bare, scheme] = match;
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), params: {} });
    const current = challenges.at(-1);
    if (name !== undefined && current !== undefined)
      current.params[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '';
  }
  return challenges;
}

const HUB = 'registry-1.docker.io';
const HUB_AUTH = 'auth.docker.io';

/**
 * Stored credentials of `registry` go to a token server on the same host, on the parent domain (registry.gitlab.com asks
 * gitlab.com), or to Docker Hub's; never to a host that a registry just names (CVE-2020-15157, oras-go CVE-2026-48978).
 */
export function mayHaveCredentials(registry: URL, realm: URL): boolean {
  if (registry.protocol === 'https:' && realm.protocol !== 'https:') return false;
  if (registry.hostname === realm.hostname) return true;
  if (registry.hostname === HUB) return realm.hostname === HUB_AUTH;
  if (literalOf(registry.hostname) !== undefined || isLoopbackHost(registry.hostname)) return false;
  return realm.hostname.split('.').length >= 2 && registry.hostname.endsWith(`.${realm.hostname}`);
}
