/** Where a registry's content comes from: its mirrors in order, then the registry itself; containerd's hosts.toml. */
import { readdirSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { errnoOf, TsrunError } from '../errors.js';
import { DEFAULT_DOMAIN } from '../intent/reference.js';
import { isObject } from '../types/documents.js';

export type Capability = 'pull' | 'resolve' | 'push';
const CAPABILITIES: readonly Capability[] = ['pull', 'resolve', 'push'];
const HUB = 'registry-1.docker.io';

export interface TlsSettings {
  /** Paths of PEM files. */
  readonly ca: readonly string[];
  readonly client: readonly { cert: string; key?: string }[];
  readonly skipVerify: boolean;
}

export interface RegistryHost {
  /** "https://mirror.example:5000/v2", without a slash at the end. */
  readonly url: string;
  /** The scheme was not written: https is tried first, then http, which only loopback addresses get. */
  readonly guessScheme: boolean;
  readonly capabilities: readonly Capability[];
  readonly tls: TlsSettings;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as ?ns= to mirrors, so that one mirror can serve several registries. */
  readonly namespace?: string;
  /** Of the registry itself, not of its mirrors: what references call it. Credentials may be stored under that name. */
  readonly domain?: string;
}

/** Folders below `certsDir` that may hold the settings of `domain`, the best first; ":" may be written "_…_". */
function folders(certsDir: string, domain: string): string[] {
  const colon = domain.lastIndexOf(':');
  const spelled =
    colon > domain.lastIndexOf(']') ? [`${domain.slice(0, colon)}_${domain.slice(colon + 1)}_`] : [];
  return [...spelled, domain, '_default'].map((name) => join(certsDir, name));
}

/**
 * The hosts for the registry `domain` (of a reference), in the order in which to ask them.
 * @throws TsrunError FORMAT for a hosts.toml that cannot be understood: a setting is never ignored
 */
export async function registryHosts(certsDir: string, domain: string): Promise<RegistryHost[]> {
  for (const folder of folders(certsDir, domain)) {
    const file = join(folder, 'hosts.toml');
    const text = readText(file);
    if (text !== undefined) return await hostsFromToml(text, file, folder, domain);
    const tls = looseCertificates(folder);
    if (tls !== undefined) return [originOf(domain, { tls })];
  }
  return [originOf(domain, {})];
}

function originOf(domain: string, settings: Partial<RegistryHost>): RegistryHost {
  const name = domain === DEFAULT_DOMAIN ? HUB : domain;
  return { ...defaults, url: `https://${name}/v2`, guessScheme: true, domain, ...settings };
}

const defaults = {
  capabilities: CAPABILITIES,
  tls: { ca: [], client: [], skipVerify: false },
  headers: {},
};

async function hostsFromToml(
  text: string,
  file: string,
  folder: string,
  domain: string,
): Promise<RegistryHost[]> {
  const { parse } = await import('smol-toml');
  let root: Record<string, unknown>;
  try {
    root = parse(text);
  } catch (error) {
    throw bad(file, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error), error);
  }
  const { server, host, ...own } = root;
  if (server !== undefined && typeof server !== 'string') throw bad(file, 'server is not a string');
  if (host !== undefined && !isObject(host)) throw bad(file, '"host" is not a table');
  const settings = (table: Record<string, unknown>) => hostSettings(table, file, folder);
  const mirrors = Object.entries(host ?? {}).map(([name, table]) => {
    if (!isObject(table)) throw bad(file, `host "${name}" is not a table`);
    return { ...settings(table), ...addressOf(name, table.override_path === true, file), namespace: domain };
  });
  const origin = originOf(domain, settings(own));
  const address = server === undefined ? {} : addressOf(server, own.override_path === true, file);
  const all = [...mirrors, { ...origin, ...address }];
  // A mirror that is the registry itself needs no name space.
  return all.map((each) =>
    hostOf(each) === hostOf(originOf(domain, {})) ? { ...each, namespace: undefined } : each,
  );
}

function hostOf({ url }: RegistryHost): string {
  return new URL(url).host;
}

function addressOf(
  name: string,
  overridePath: boolean,
  file: string,
): Pick<RegistryHost, 'url' | 'guessScheme'> {
  const guessScheme = !/^[a-z]+:\/\//i.test(name);
  let url: URL;
  try {
    url = new URL(guessScheme ? `https://${name}` : name);
  } catch (error) {
    throw bad(file, `"${name}" is not a host`, error);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw bad(file, `"${name}": only http and https are known`);
  if (url.username !== '' || url.password !== '')
    throw bad(file, `"${name}": credentials belong into config.json`);
  const path = url.pathname.replace(/\/+$/, '');
  return {
    url: url.origin + (overridePath ? path : path.endsWith('/v2') ? path : `${path}/v2`),
    guessScheme,
  };
}

const KNOWN_KEYS = ['capabilities', 'ca', 'client', 'skip_verify', 'header', 'override_path', 'dial_timeout'];

function hostSettings(
  table: Record<string, unknown>,
  file: string,
  folder: string,
): Pick<RegistryHost, 'capabilities' | 'tls' | 'headers'> {
  for (const key of Object.keys(table))
    if (!KNOWN_KEYS.includes(key)) throw bad(file, `unknown key "${key}"`);
  for (const key of ['skip_verify', 'override_path'])
    if (table[key] !== undefined && typeof table[key] !== 'boolean')
      throw bad(file, `${key} is not true or false`);
  const inFolder = (path: string) => (isAbsolute(path) ? path : join(folder, path));
  return {
    capabilities: table.capabilities === undefined ? CAPABILITIES : capabilitiesIn(table.capabilities, file),
    tls: {
      ca: textList(table.ca ?? [], 'ca', file).map(inFolder),
      client: clientPairs(table.client ?? [], file).map(({ cert, key }) => ({
        cert: inFolder(cert),
        ...(key === undefined ? {} : { key: inFolder(key) }),
      })),
      skipVerify: table.skip_verify === true,
    },
    headers: headersIn(table.header ?? {}, file),
  };
}

function capabilitiesIn(value: unknown, file: string): Capability[] {
  return textList(value, 'capabilities', file).map((text) => {
    const known = CAPABILITIES.find((each) => each === text);
    if (known === undefined) throw bad(file, `unknown capability "${text}"`);
    return known;
  });
}

/** "cert.pem" with the key in it, ["a.pem", …], or [["cert", "key"], …] */
function clientPairs(value: unknown, file: string): { cert: string; key?: string }[] {
  if (typeof value === 'string') return [{ cert: value }];
  if (!Array.isArray(value)) throw bad(file, 'client is neither a path nor a list');
  return value.map((entry) => {
    if (typeof entry === 'string') return { cert: entry };
    const [cert, key, ...rest] = textList(entry, 'client', file);
    if (cert === undefined || rest.length > 0) throw bad(file, 'client: a pair is [certificate, key]');
    return key === undefined || key === '' ? { cert } : { cert, key };
  });
}

function headersIn(value: unknown, file: string): Record<string, string> {
  if (!isObject(value)) throw bad(file, 'header is not a table');
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name.toLowerCase(),
      textList(each, 'header', file).join(', '),
    ]),
  );
}

function textList(value: unknown, key: string, file: string): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((entry) => {
    if (typeof entry !== 'string') throw bad(file, `${key} is not text`);
    return entry;
  });
}

/** Docker's form of the folder: *.crt are CAs, X.cert with X.key is a client certificate. */
function looseCertificates(folder: string): TlsSettings | undefined {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw bad(folder, `cannot be read: ${errnoOf(error)}`, error);
  }
  const ca = names.filter((name) => name.endsWith('.crt')).map((name) => join(folder, name));
  const client = names
    .filter((name) => name.endsWith('.cert'))
    .map((name) => ({ cert: join(folder, name), key: join(folder, name.replace(/\.cert$/, '.key')) }));
  return ca.length + client.length === 0 ? undefined : { ca, client, skipVerify: false };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw bad(file, `cannot be read: ${errnoOf(error)}`, error);
  }
}

function bad(file: string, message: string, cause?: unknown): TsrunError {
  return new TsrunError('FORMAT', `${file}: ${message}`, { step: 'registry.hosts', subject: file, cause });
}
