/** One HTTP exchange after another, with time-outs, redirects and TLS as a stranger's server deserves them. */
import { lookup as dnsLookup } from 'node:dns';
import { existsSync, readFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { type ConnectionOptions, rootCertificates } from 'node:tls';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { errnoOf, TsrunError } from '../errors.js';
import { literalOf, REACH, type Reach, reachOf } from './addresses.js';
import type { Environment } from './credentials.js';
import type { TlsSettings } from './hosts.js';
import { proxyFor } from './proxy.js';

const IDLE_MS = 30_000;
const CONNECT_MS = 15_000;
const MAX_REDIRECTS = 5;
const MAX_HEADERS = 64 * 1024;
const SYSTEM_CAS = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
];

export const NO_TLS_SETTINGS: TlsSettings = { ca: [], client: [], skipVerify: false };

export interface TransportOptions {
  readonly env: Environment;
  /** PEM file of more CAs. */
  readonly extraCaFile?: string;
  /** Time without a byte after which a server is given up, in milliseconds; default 30 s. */
  readonly idleMs?: number;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  readonly url: URL;
  /** Names in lower case. `authorization` never leaves the origin of `url`. */
  readonly headers: Record<string, string>;
  /** Called for each try; its length is to be in the headers. */
  readonly body?: string | Buffer | (() => Readable);
  readonly tls: TlsSettings;
  readonly signal?: AbortSignal;
  /** Follow redirects (GET and HEAD only). Default true. */
  readonly redirects?: boolean;
  /** Addresses more private than this are refused when they are dialled. Default: anything goes. */
  readonly reach?: Reach;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Readable;
  /** After redirects. */
  readonly url: URL;
}

export class Transport {
  private readonly dispatchers = new Map<string, Dispatcher>();
  private readonly certificates = new Map<string, string>();
  private readonly idleMs: number;

  constructor(private readonly options: TransportOptions) {
    this.idleMs = options.idleMs ?? IDLE_MS;
  }

  /** Any status is an answer. @throws TsrunError REGISTRY when there is none. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    let { url } = request;
    const headers = { ...request.headers };
    const follow = request.redirects !== false && ['GET', 'HEAD'].includes(request.method);
    for (let hop = 0; ; hop += 1) {
      const response = await this.once(request, url, headers);
      const location = headerOf(response, 'location');
      if (!follow || ![301, 302, 303, 307, 308].includes(response.status) || location === undefined)
        return response;
      response.body.on('error', () => undefined).destroy();
      if (hop >= MAX_REDIRECTS) throw failure(url, `more than ${MAX_REDIRECTS} redirects`);
      const next = redirectTarget(url, location);
      // Also a port or a scheme makes another origin (CVE-2020-15157 and its kin).
      if (next.origin !== url.origin) for (const name of ['authorization', 'cookie']) delete headers[name];
      url = next;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
    this.dispatchers.clear();
  }

  private async once(request: HttpRequest, url: URL, headers: Record<string, string>): Promise<HttpResponse> {
    refuseLiteral(url, request.reach);
    request.signal?.throwIfAborted();
    try {
      const {
        statusCode,
        headers: received,
        body,
      } = await this.dispatcher(url, request).request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers,
        body: typeof request.body === 'function' ? request.body() : request.body,
        signal: request.signal,
        headersTimeout: this.idleMs,
        bodyTimeout: this.idleMs,
      });
      return { status: statusCode, headers: received, body, url };
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      throw failure(url, reasonOf(error), error);
    }
  }

  private dispatcher(url: URL, { tls, reach }: HttpRequest): Dispatcher {
    const proxy = proxyFor(url, this.options.env);
    const key = JSON.stringify([url.protocol === 'https:' ? tls : 0, proxy?.href, reach]);
    const known = this.dispatchers.get(key);
    if (known !== undefined) return known;
    const secure = url.protocol === 'https:' ? this.tlsOptions(tls) : {};
    const common = { maxHeaderSize: MAX_HEADERS, connectTimeout: CONNECT_MS };
    const made =
      proxy === undefined
        ? new Agent({ ...common, connect: { ...secure, ...guard(reach), timeout: CONNECT_MS } })
        : new ProxyAgent({
            ...common,
            uri: proxy.origin,
            ...proxyToken(proxy),
            requestTls: secure,
            proxyTls: this.tlsOptions(NO_TLS_SETTINGS),
            proxyTunnel: url.protocol === 'https:',
          });
    this.dispatchers.set(key, made);
    return made;
  }

  private tlsOptions(tls: TlsSettings): ConnectionOptions {
    const read = (file: string) => this.pem(file);
    const system = SYSTEM_CAS.find((file) => existsSync(file));
    const extra = [system, this.options.extraCaFile].flatMap((file) => (file ? [read(file)] : []));
    const client =
      tls.client.length === 0
        ? {}
        : {
            cert: tls.client.map(({ cert }) => read(cert)),
            key: tls.client.map(({ cert, key }) => read(key ?? cert)),
          };
    const ca = [...rootCertificates, ...extra, ...tls.ca.map(read)];
    return { ca, ...client, rejectUnauthorized: !tls.skipVerify };
  }

  private pem(file: string): string {
    const known = this.certificates.get(file);
    if (known !== undefined) return known;
    try {
      const text = readFileSync(file, 'utf8');
      this.certificates.set(file, text);
      return text;
    } catch (error) {
      throw new TsrunError('REGISTRY', `cannot read the certificate ${file}: ${errnoOf(error)}`, {
        step: 'registry.tls',
        errno: errnoOf(error),
        subject: file,
        cause: error,
      });
    }
  }
}

function proxyToken(proxy: URL): { token?: string } {
  if (proxy.username === '') return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { token: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function redirectTarget(from: URL, location: string): URL {
  let next: URL;
  try {
    next = new URL(location, from);
  } catch (error) {
    throw failure(from, 'a redirect to something that is no URL', error);
  }
  if (next.protocol !== 'https:' && next.protocol !== 'http:')
    throw failure(from, `a redirect to ${next.protocol}`);
  if (from.protocol === 'https:' && next.protocol !== 'https:')
    throw failure(from, 'a redirect from https to http');
  return next;
}

/** The address is checked where it is dialled: a name that was harmless a moment ago may point elsewhere now. */
function guard(reach: Reach | undefined): { lookup?: LookupFunction } {
  if (reach === undefined) return {};
  const lookup: LookupFunction = (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const refused = addresses.find(({ address }) => isTooPrivate(address, reach));
      if (refused !== undefined)
        return callback(new Error(`${hostname} is at ${refused.address}: refused`), '', 0);
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      return callback(
        first ? null : new Error(`${hostname} has no address`),
        first?.address ?? '',
        first?.family ?? 0,
      );
    });
  };
  return { lookup };
}

function refuseLiteral(url: URL, reach: Reach | undefined): void {
  const literal = literalOf(url.hostname);
  if (reach !== undefined && literal !== undefined && isTooPrivate(literal, reach))
    throw failure(url, 'a public server pointed to a private address: refused');
}

function isTooPrivate(address: string, reach: Reach): boolean {
  return REACH.indexOf(reachOf(address)) > REACH.indexOf(reach);
}

export function headerOf({ headers }: Pick<HttpResponse, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The innermost cause, in words. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  const code = errnoOf(error);
  const texts: Record<string, string> = {
    ECONNREFUSED: 'connection refused',
    ENOTFOUND: 'no such host',
    EAI_AGAIN: 'the name server does not answer',
    UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
    UND_ERR_HEADERS_TIMEOUT: 'the server does not answer',
    UND_ERR_BODY_TIMEOUT: 'the server stopped sending',
  };
  return (code && texts[code]) ?? (error.message || code || error.name);
}

/** `errno` is the code of the network error: what may be retried is decided by it. */
export function failure(url: URL, reason: string, cause?: unknown): TsrunError {
  const errno = errnoOf(cause instanceof AggregateError ? cause.errors[0] : cause);
  return new TsrunError('REGISTRY', `${url.origin}${url.pathname}: ${reason}`, {
    step: 'registry.request',
    errno,
    subject: url.host,
    cause,
  });
}
