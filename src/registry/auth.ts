/** Answers 401: anonymous, basic and bearer tokens, each kept for as long as it is good. */
import { lookup } from 'node:dns/promises';
import type { Readable } from 'node:stream';
import { TsrunError } from '../errors.js';
import { parseObject } from '../types/documents.js';
import { literalOf, REACH, type Reach, reachOf } from './addresses.js';
import { type Challenge, mayHaveCredentials, parseChallenges } from './challenge.js';
import { type Credentials, type Environment, findCredentials } from './credentials.js';
import type { RegistryHost, TlsSettings } from './hosts.js';
import { failure, NO_TLS_SETTINGS, type Transport } from './transport.js';

const DEFAULT_LIFETIME_S = 60;
/** A token is renewed this long before it ends. */
const MARGIN_S = 5;
const TOKEN_LIMIT = 256 * 1024;
const CLIENT_ID = 'tsrun';

interface Token {
  readonly header: string;
  /** Milliseconds of the clock; Infinity for basic. */
  readonly expires: number;
}

export class Authenticator {
  private readonly tokens = new Map<string, Token>();
  private refreshToken: string | undefined;

  /** @param given these, and not what is stored; the token server is then asked for an identity token too */
  constructor(
    private readonly transport: Transport,
    private readonly env: Environment,
    private readonly given?: Credentials,
    private readonly now: () => number = Date.now,
  ) {}

  /** What a token server gave in exchange for the password, to be kept in its place. */
  get identityToken(): string | undefined {
    return this.refreshToken;
  }

  /** The header for a request to `registry`, if one is known. */
  known(registry: URL, scope: string): string | undefined {
    const token = this.tokens.get(keyOf(registry, scope));
    return token !== undefined && token.expires > this.now() ? token.header : undefined;
  }

  /**
   * Turns a 401 into the header to try next; undefined if nothing could be tried.
   * @param domain what references call the registry, if it is not a mirror: credentials may be stored under that name
   * @throws TsrunError REGISTRY if the token server is not to be trusted or does not answer
   */
  async answer(
    registry: URL,
    scope: string,
    header: string | string[] | undefined,
    { tls, domain }: Pick<RegistryHost, 'tls' | 'domain'>,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const challenges = parseChallenges(header);
    const credentials = this.given ?? (await this.stored(registry, domain));
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    const token =
      bearer !== undefined
        ? await this.bearer(registry, bearer, scope, credentials, tls, signal)
        : challenges.some(({ scheme }) => scheme === 'basic') && credentials?.kind === 'basic'
          ? { header: basic(credentials), expires: Number.POSITIVE_INFINITY }
          : undefined;
    if (token === undefined) return undefined;
    this.tokens.set(keyOf(registry, scope), token);
    return token.header;
  }

  private async stored(registry: URL, domain: string | undefined): Promise<Credentials | undefined> {
    const found = await findCredentials(registry.host, this.env);
    return found === undefined && domain !== undefined ? await findCredentials(domain, this.env) : found;
  }

  private async bearer(
    registry: URL,
    { params }: Challenge,
    scope: string,
    stored: Credentials | undefined,
    tls: TlsSettings,
    signal?: AbortSignal,
  ): Promise<Token> {
    const realm = realmOf(registry, params.realm);
    const sameHost = realm.hostname === registry.hostname;
    const credentials = mayHaveCredentials(registry, realm) ? stored : undefined;
    // A login that nobody has looked at must not count as one.
    if (this.given !== undefined && credentials === undefined) throw denied(registry, stored, credentials);
    const query = new URLSearchParams();
    if (params.service !== undefined) query.set('service', params.service);
    const scopes = (params.scope ?? scope).split(' ').filter(Boolean);
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': CLIENT_ID };
    const post = credentials?.kind === 'identity';
    if (credentials?.kind === 'identity') {
      headers['content-type'] = 'application/x-www-form-urlencoded';
      query.set('grant_type', 'refresh_token');
      query.set('client_id', CLIENT_ID);
      query.set('refresh_token', credentials.token);
      query.set('scope', scopes.join(' '));
    } else {
      for (const each of scopes) query.append('scope', each);
      if (credentials !== undefined) headers.authorization = basic(credentials);
      if (credentials !== undefined && this.given !== undefined) {
        query.set('account', credentials.username);
        query.set('client_id', CLIENT_ID);
        query.set('offline_token', 'true');
      }
    }
    const url = new URL(realm);
    if (!post) for (const [name, value] of query) url.searchParams.append(name, value);
    const response = await this.transport.send({
      method: post ? 'POST' : 'GET',
      url,
      headers,
      body: post ? query.toString() : undefined,
      tls: sameHost ? tls : NO_TLS_SETTINGS,
      signal,
      redirects: false,
      reach: sameHost ? undefined : await reachOfHost(registry),
    });
    const body = await readLimited(response.body, TOKEN_LIMIT, url);
    if (response.status === 401 || response.status === 403) throw denied(registry, stored, credentials);
    if (response.status !== 200) throw failure(url, `the token server answered ${response.status}`);
    return this.tokenIn(body, url);
  }

  private tokenIn(body: Buffer, url: URL): Token {
    const json = parseObject(body, 'token', url.host);
    const text = [json.token, json.access_token].find((each) => typeof each === 'string' && each !== '');
    if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text))
      throw failure(url, 'the token server sent no token');
    if (typeof json.refresh_token === 'string' && json.refresh_token !== '')
      this.refreshToken = json.refresh_token;
    const lifetime =
      typeof json.expires_in === 'number' && json.expires_in > 0 ? json.expires_in : DEFAULT_LIFETIME_S;
    return { header: `Bearer ${text}`, expires: this.now() + Math.max(lifetime - MARGIN_S, 1) * 1000 };
  }
}

function keyOf(registry: URL, scope: string): string {
  return `${registry.origin} ${scope}`;
}

function basic({ username, password }: Extract<Credentials, { kind: 'basic' }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function realmOf(registry: URL, text: string | undefined): URL {
  let realm: URL;
  try {
    realm = new URL(text ?? '');
  } catch (error) {
    throw failure(registry, 'the registry names no usable token server', error);
  }
  if (realm.protocol !== 'https:' && realm.protocol !== 'http:')
    throw failure(registry, `the registry names a token server at ${realm.protocol}: refused`);
  if (registry.protocol === 'https:' && realm.protocol !== 'https:')
    throw failure(registry, 'the registry names a token server without https: refused');
  if (realm.username !== '' || realm.password !== '')
    throw failure(registry, 'the registry names a token server with credentials in its URL: refused');
  return realm;
}

/** The most private address of a registry: its token server may be as private, no more. */
async function reachOfHost(registry: URL): Promise<Reach> {
  const literal = literalOf(registry.hostname);
  if (literal !== undefined) return reachOf(literal);
  try {
    const addresses = await lookup(registry.hostname, { all: true });
    const reached = addresses.map(({ address }) => REACH.indexOf(reachOf(address)));
    return REACH[Math.max(0, ...reached)] ?? 'public';
  } catch {
    return 'public'; // behind a proxy that resolves names for us: the strictest rule
  }
}

export async function readLimited(body: Readable, limit: number, url: URL): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw failure(url, `the answer is longer than ${limit} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    body.on('error', () => undefined).destroy();
    throw error instanceof TsrunError ? error : failure(url, 'the connection broke', error);
  }
  return Buffer.concat(chunks);
}

function denied(registry: URL, stored: Credentials | undefined, sent: Credentials | undefined): TsrunError {
  return new TsrunError('REGISTRY_DENIED', `${registry.host}: unauthorized: authentication required`, {
    step: 'registry.auth',
    subject: registry.host,
    hint:
      stored !== undefined && sent === undefined
        ? `the credentials were not sent: ${registry.host} names a token server of another host`
        : undefined,
  });
}
