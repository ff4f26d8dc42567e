/** One HTTP exchange after another, with time-outs, redirects and TLS as a stranger's server deserves them. */
import type { Readable } from 'node:stream';
import { errnoOf, TsrunError } from '../errors.js';
import { isTooPrivate, literalOf, type Reach } from './addresses.js';
import { type AgentOptions, Agents } from './agents.js';
import { exchange } from './exchange.js';
import type { TlsSettings } from './hosts.js';

export { NO_TLS_SETTINGS } from './agents.js';

const IDLE_MS = 30_000;
const MAX_REDIRECTS = 5;

export interface TransportOptions extends AgentOptions {
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
  private readonly agents: Agents;
  private readonly idleMs: number;

  constructor(options: TransportOptions) {
    this.agents = new Agents(options);
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

  close(): void {
    this.agents.close();
  }

  private async once(request: HttpRequest, url: URL, headers: Record<string, string>): Promise<HttpResponse> {
    refuseLiteral(url, request.reach);
    request.signal?.throwIfAborted();
    const { method, body, signal } = request;
    try {
      const response = await exchange(
        {
          method,
          url,
          headers,
          body: typeof body === 'function' ? body() : body,
          signal,
          idleMs: this.idleMs,
        },
        this.agents.route(url, request),
      );
      return { status: response.statusCode ?? 0, headers: response.headers, body: response, url };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof TsrunError) throw error;
      throw failure(url, reasonOf(error), error);
    }
  }
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

function refuseLiteral(url: URL, reach: Reach | undefined): void {
  const literal = literalOf(url.hostname);
  if (reach !== undefined && literal !== undefined && isTooPrivate(literal, reach))
    throw failure(url, 'a public server pointed to a private address: refused');
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
    ECONNRESET: 'the connection was closed',
    ENOTFOUND: 'no such host',
    EAI_AGAIN: 'the name server does not answer',
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
