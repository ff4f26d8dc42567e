/** Docker's config.json: where it is, what it says, and what it says after a login or a logout. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, TsrunError } from '../errors.js';
import { DEFAULT_DOMAIN, DOMAIN } from '../intent/reference.js';
import { isObject } from '../types/documents.js';

export type Environment = Readonly<Record<string, string | undefined>>;
export type DockerConfig = Readonly<Record<string, unknown>>;

/** What config.json says of a login. `username` of an identity token is for people to read. */
export type Credentials =
  | { kind: 'basic'; username: string; password: string }
  /** An OAuth refresh token: exchanged by POST, never put into a query. */
  | { kind: 'identity'; token: string; username?: string };

/** What Docker Hub is called in config.json. */
export const HUB_KEY = 'https://index.docker.io/v1/';
const HUB_HOSTS = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/** A registry as `login` names it. */
export interface LoginServer {
  /** Of references: "docker.io", "localhost:5000". */
  readonly domain: string;
  /** In config.json, and to credential helpers. */
  readonly key: string;
}

/**
 * "localhost:5000", "https://reg.example/v2/", or nothing for Docker Hub.
 * @throws TsrunError USAGE for what is no host
 */
export function loginServer(text: string | undefined): LoginServer {
  const host = bareHost(text ?? '');
  if (host === '' || HUB_HOSTS.includes(host)) return { domain: DEFAULT_DOMAIN, key: HUB_KEY };
  if (DOMAIN.test(host)) return { domain: host, key: host };
  throw new TsrunError('USAGE', `invalid registry ${JSON.stringify(text)}: HOST or HOST:PORT is needed`, {
    step: 'registry.login',
    subject: text,
  });
}

/** Everything that a registry may be called in config.json, the usual name first. */
export function keysOf(host: string): string[] {
  return HUB_HOSTS.includes(host) ? [HUB_KEY, ...HUB_HOSTS] : [host];
}

/** Keys are hosts, or URLs with a path. */
export function bareHost(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

/** undefined: there is no place for it, as neither DOCKER_CONFIG nor HOME is set. */
export function configFile(env: Environment): string | undefined {
  if (env.DOCKER_CONFIG) return join(env.DOCKER_CONFIG, 'config.json');
  return env.HOME ? join(env.HOME, '.docker', 'config.json') : undefined;
}

/** undefined if there is none. @throws TsrunError REGISTRY for a damaged one: it is never taken for an empty one */
export function readConfig(file: string): DockerConfig | undefined {
  try {
    const json: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isObject(json)) return json;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    // The words of the JSON parser quote the file, and with it what is secret.
    if (error instanceof SyntaxError) throw badConfig(file, 'cannot be read: not valid JSON');
    throw badConfig(file, `cannot be read: ${errnoOf(error)}`, error);
  }
  throw badConfig(file, 'not a JSON object');
}

/** The program that keeps the credentials of `key`, by the last part of its name. */
export function helperOf(config: DockerConfig, key: string): string | undefined {
  const helpers = isObject(config.credHelpers) ? config.credHelpers : {};
  const name = helpers[key] ?? helpers[bareHost(key)] ?? config.credsStore;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** What stands in the file itself for one of `keys`. */
export function credentialsInFile(
  config: DockerConfig,
  keys: readonly string[],
  file: string,
): Credentials | undefined {
  const auths = authsOf(config);
  const aliases = Object.keys(auths).filter((key) => !keys.includes(key) && isOneOf(keys, key));
  for (const key of [...keys, ...aliases]) {
    const entry = auths[key];
    const found = isObject(entry) ? credentialsIn(entry, file) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `credentials` undefined: a helper has them, and the file says only that there are some. All else stays as it is. */
export function withCredentials(
  config: DockerConfig,
  key: string,
  credentials: Credentials | undefined,
): DockerConfig {
  return { ...config, auths: { ...authsOf(config), [key]: credentials ? entryOf(credentials) : {} } };
}

/** Without what the file says of `keys`; the same object if that is nothing. */
export function withoutCredentials(config: DockerConfig, keys: readonly string[]): DockerConfig {
  const all = Object.entries(authsOf(config));
  const rest = all.filter(([key]) => !isOneOf(keys, key));
  return rest.length === all.length ? config : { ...config, auths: Object.fromEntries(rest) };
}

function authsOf(config: DockerConfig): Record<string, unknown> {
  return isObject(config.auths) ? config.auths : {};
}

function isOneOf(keys: readonly string[], key: string): boolean {
  return keys.includes(key) || keys.includes(bareHost(key));
}

function entryOf(credentials: Credentials): Record<string, string> {
  const pair = (text: string) => Buffer.from(text).toString('base64');
  if (credentials.kind === 'basic') return { auth: pair(`${credentials.username}:${credentials.password}`) };
  return { auth: pair(`${credentials.username ?? ''}:`), identitytoken: credentials.token };
}

function credentialsIn(entry: Record<string, unknown>, file: string): Credentials | undefined {
  const pair = typeof entry.auth === 'string' && entry.auth !== '' ? decoded(entry.auth, file) : undefined;
  if (typeof entry.identitytoken === 'string' && entry.identitytoken !== '')
    return { kind: 'identity', token: entry.identitytoken, username: pair?.username };
  if (pair !== undefined) return { kind: 'basic', ...pair };
  if (typeof entry.username === 'string' && typeof entry.password === 'string')
    return { kind: 'basic', username: entry.username, password: entry.password };
  return undefined;
}

function decoded(auth: string, file: string): { username: string; password: string } {
  const [, username, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth, 'base64').toString('utf8')) ?? [];
  if (username === undefined || password === undefined)
    throw badConfig(file, 'an "auth" is not base64 of user:password');
  return { username, password: password.replace(/\0+$/, '') };
}

export function badConfig(subject: string, message: string, cause?: unknown): TsrunError {
  return new TsrunError('REGISTRY', `${subject}: ${message}`, {
    step: 'registry.credentials',
    subject,
    cause,
  });
}
