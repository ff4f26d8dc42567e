/** GETs below one repository of a registry host: its scheme, its headers, and whatever it wants to see as credentials. */
import { TsrunError } from '../errors.js';
import { isLoopbackHost } from './addresses.js';
import { Authenticator } from './auth.js';
import type { RegistryHost } from './hosts.js';
import { StatusError, statusError } from './status.js';
import { type HttpResponse, Transport, type TransportOptions } from './transport.js';

/** What a server without TLS answers to a TLS handshake. */
const NOT_TLS = /^(?:ERR_SSL_|EPROTO|ECONNRESET|UND_ERR_SOCKET|EPIPE)/;

export class Connection {
  private readonly transport: Transport;
  private readonly auth: Authenticator;
  /** Hosts whose scheme was guessed, and the address at which they answered. */
  private readonly addresses = new Map<RegistryHost, string>();
  private readonly scope: string;

  /** @param repository path of the repository below the host: "library/redis" */
  constructor(
    private readonly repository: string,
    options: TransportOptions,
  ) {
    this.transport = new Transport(options);
    this.auth = new Authenticator(this.transport, options.env);
    this.scope = `repository:${repository}:pull`;
  }

  close(): Promise<void> {
    return this.transport.close();
  }

  /** Resolves with 200 or 206. @throws StatusError for every other answer */
  async get(
    host: RegistryHost,
    path: string,
    headers: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<HttpResponse> {
    const known = this.addresses.get(host);
    if (known !== undefined || !host.guessScheme)
      return await this.from(host, known ?? host.url, path, headers, signal);
    const secure = host.url;
    try {
      const response = await this.from(host, secure, path, headers, signal);
      this.addresses.set(host, secure);
      return response;
    } catch (error) {
      const notTls = error instanceof TsrunError && error.errno !== undefined && NOT_TLS.test(error.errno);
      if (!notTls || !isLoopbackHost(new URL(secure).hostname)) {
        if (error instanceof StatusError) this.addresses.set(host, secure);
        throw error;
      }
      const plain = secure.replace(/^https:/, 'http:');
      this.addresses.set(host, plain);
      return await this.from(host, plain, path, headers, signal);
    }
  }

  private async from(
    host: RegistryHost,
    base: string,
    path: string,
    headers: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<HttpResponse> {
    const url = new URL(`${base}/${this.repository}/${path}`);
    if (host.namespace !== undefined) url.searchParams.set('ns', host.namespace);
    const send = (authorization: string | undefined) =>
      this.transport.send({
        method: 'GET',
        url,
        headers: {
          'user-agent': 'tsrun',
          ...host.headers,
          ...headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
        tls: host.tls,
        signal,
      });
    let response = await send(this.auth.known(url, this.scope));
    if (response.status === 401 && response.url.origin === url.origin) {
      const challenge = response.headers['www-authenticate'];
      const authorization = await this.auth.answer(url, this.scope, challenge, host.tls, signal);
      if (authorization !== undefined) {
        drop(response);
        response = await send(authorization);
      }
    }
    if (response.status === 200 || response.status === 206) return response;
    throw await statusError(response);
  }
}

function drop({ body }: HttpResponse): void {
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
        errno: 'UND_ERR_BODY_TIMEOUT',
        subject: this.host,
      });
    this.since = now;
    this.bytes = 0;
  }
}
