/** Requests below one repository of a registry host: its scheme, its headers, and whatever it wants to see as credentials. */
import { TsrunError } from '../errors.js';
import { isLoopbackHost } from './addresses.js';
import { Authenticator } from './auth.js';
import type { Credentials } from './credentials.js';
import type { RegistryHost } from './hosts.js';
import { speaksTls } from './speaks-tls.js';
import { statusError } from './status.js';
import { type HttpRequest, type HttpResponse, Transport, type TransportOptions } from './transport.js';

export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  /** Below the repository: "blobs/sha256:…"; or the whole URL that the registry gave as the place of an upload. */
  readonly at: string | URL;
  readonly headers?: Record<string, string>;
  readonly body?: HttpRequest['body'];
}

export class Connection {
  private readonly transport: Transport;
  private readonly auth: Authenticator;
  /** Hosts whose scheme was guessed, and the address at which they answered. */
  private readonly addresses = new Map<RegistryHost, string>();
  private readonly scope: string;

  /**
   * @param repository path of the repository below the host: "library/redis"; undefined: the registry as a whole
   * @param actions what will be done there, as token servers call it
   * @param credentials in place of those that are stored
   */
  constructor(
    private readonly repository: string | undefined,
    options: TransportOptions,
    actions: 'pull' | 'pull,push' = 'pull',
    credentials?: Credentials,
  ) {
    this.transport = new Transport(options);
    this.auth = new Authenticator(this.transport, options.env, credentials);
    this.scope = repository === undefined ? '' : `repository:${repository}:${actions}`;
  }

  /** What a token server gave in exchange for the credentials. */
  get identityToken(): string | undefined {
    return this.auth.identityToken;
  }

  /** Where a host answers, as far as it is known. */
  addressOf(host: RegistryHost): string {
    return this.addresses.get(host) ?? host.url;
  }

  close(): void {
    this.transport.close();
  }

  /** Resolves with a success (2xx). @throws StatusError for every other answer */
  async send(host: RegistryHost, request: RegistryRequest, signal?: AbortSignal): Promise<HttpResponse> {
    const known = this.addresses.get(host);
    if (known !== undefined || !host.guessScheme)
      return await this.from(host, known ?? host.url, request, signal);
    const secure = new URL(host.url);
    const isPlain = isLoopbackHost(secure.hostname) && !(await speaksTls(secure, signal));
    const url = isPlain ? host.url.replace(/^https:/, 'http:') : host.url;
    this.addresses.set(host, url);
    return await this.from(host, url, request, signal);
  }

  private async from(
    host: RegistryHost,
    base: string,
    { method, at, headers, body }: RegistryRequest,
    signal?: AbortSignal,
  ): Promise<HttpResponse> {
    const below = this.repository === undefined ? base : `${base}/${this.repository}`;
    const url = typeof at === 'string' ? new URL(`${below}/${at}`) : at;
    if (typeof at === 'string' && host.namespace !== undefined) url.searchParams.set('ns', host.namespace);
    // An upload may have its place on another server: what proves who we are stays with the registry.
    const own = url.origin === new URL(base).origin;
    const send = (authorization: string | undefined) =>
      this.transport.send({
        method,
        url,
        headers: {
          'user-agent': 'tsrun',
          ...(own ? host.headers : {}),
          ...headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
        body,
        tls: host.tls,
        signal,
      });
    let response = await send(own ? this.auth.known(url, this.scope) : undefined);
    if (response.status === 401 && own && response.url.origin === url.origin) {
      const challenge = response.headers['www-authenticate'];
      const authorization = await this.auth.answer(url, this.scope, challenge, host, signal);
      if (authorization !== undefined) {
        drop(response);
        response = await send(authorization);
      }
    }
    if (response.status >= 200 && response.status < 300) return response;
    throw await statusError(response);
  }
}

/** Of an answer only the headers matter. */
export function drop({ body }: HttpResponse): void {
  body.on('error', () => undefined).destroy();
}

/** Gives up on a server that keeps the connection alive with a trickle. */
export class Pace {
  private static readonly windowMs = 60_000;
  private static readonly minimum = 4096;
  private since = Date.now();
  private bytes = 0;

  constructor(private readonly host: string) {}

  add(bytes: number): void {
    this.bytes += bytes;
    const now = Date.now();
    if (now - this.since < Pace.windowMs) return;
    if (this.bytes < Pace.minimum)
      throw new TsrunError('REGISTRY', `${this.host}: the server sends too slowly`, {
        step: 'registry.request',
        errno: 'ETIMEDOUT',
        subject: this.host,
      });
    this.since = now;
    this.bytes = 0;
  }
}
