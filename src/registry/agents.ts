/** How to reach a server: connections that are kept, their TLS, which addresses are refused, and the proxy in between. */
import { lookup as dnsLookup } from 'node:dns';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, request as overHttp } from 'node:http';
import { request as overHttps, Agent as SecureAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, rootCertificates } from 'node:tls';
import { errnoOf, TsrunError } from '../errors.js';
import { isTooPrivate, type Reach } from './addresses.js';
import type { Environment } from './credentials.js';
import type { TlsSettings } from './hosts.js';
import { proxyFor } from './proxy.js';
import { TIMED_OUT, timeout } from './timeouts.js';

const CONNECT_MS = 15_000;
const SYSTEM_CAS = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
];

export const NO_TLS_SETTINGS: TlsSettings = { ca: [], client: [], skipVerify: false };

export interface Route {
  readonly agent: Agent;
  /** It is asked in place of the server, with the whole URL. */
  readonly proxy?: { host: string; port: string; headers: Record<string, string> };
}

export interface AgentOptions {
  readonly env: Environment;
  /** PEM file of more CAs. */
  readonly extraCaFile?: string;
}

export class Agents {
  readonly #routes = new Map<string, Route>();
  readonly #certificates = new Map<string, string>();

  constructor(private readonly options: AgentOptions) {}

  route(url: URL, { tls, reach }: { tls: TlsSettings; reach?: Reach }): Route {
    const proxy = proxyFor(url, this.options.env);
    const isSecure = url.protocol === 'https:';
    const key = JSON.stringify([isSecure ? tls : 0, proxy?.href, reach]);
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    const made =
      proxy === undefined ? this.#direct(isSecure, tls, reach) : this.#through(proxy, isSecure, tls);
    this.#routes.set(key, made);
    return made;
  }

  close(): void {
    for (const { agent } of this.#routes.values()) agent.destroy();
    this.#routes.clear();
  }

  #direct(isSecure: boolean, tls: TlsSettings, reach: Reach | undefined): Route {
    const options = { keepAlive: true, ...guard(reach) };
    return { agent: isSecure ? new SecureAgent({ ...options, ...this.#tls(tls) }) : new Agent(options) };
  }

  #through(proxy: URL, isSecure: boolean, tls: TlsSettings): Route {
    const headers = proxyHeaders(proxy);
    if (isSecure) return { agent: new Tunnel(proxy, headers, this.#tls(NO_TLS_SETTINGS), this.#tls(tls)) };
    const agent =
      proxy.protocol === 'https:'
        ? new SecureAgent({ keepAlive: true, ...this.#tls(NO_TLS_SETTINGS) })
        : new Agent({ keepAlive: true });
    return { agent, proxy: { ...addressOf(proxy), headers } };
  }

  #tls(tls: TlsSettings): ConnectionOptions {
    const read = (file: string) => this.#pem(file);
    // The machine's own roots, as with Docker; Node's where it has none. Each one costs a third of a millisecond.
    const system = SYSTEM_CAS.find((file) => existsSync(file));
    const roots = system === undefined ? rootCertificates : [read(system)];
    const { extraCaFile } = this.options;
    const extra = extraCaFile ? [read(extraCaFile)] : [];
    const client =
      tls.client.length === 0
        ? {}
        : {
            cert: tls.client.map(({ cert }) => read(cert)),
            key: tls.client.map(({ cert, key }) => read(key ?? cert)),
          };
    // Who is not verified needs none.
    const ca = tls.skipVerify ? [] : [...roots, ...extra, ...tls.ca.map(read)];
    return { ca, ...client, rejectUnauthorized: !tls.skipVerify };
  }

  #pem(file: string): string {
    const known = this.#certificates.get(file);
    if (known !== undefined) return known;
    try {
      const text = readFileSync(file, 'utf8');
      this.#certificates.set(file, text);
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

/** TLS to the server inside of a CONNECT to the proxy. */
class Tunnel extends SecureAgent {
  constructor(
    private readonly proxy: URL,
    private readonly proxyHeaders: Record<string, string>,
    private readonly proxyTls: ConnectionOptions,
    serverTls: ConnectionOptions,
  ) {
    super({ keepAlive: true, ...serverTls });
  }

  override createConnection(
    options: ConnectionOptions,
    done: (error: Error | null, socket?: Duplex) => void,
  ): undefined {
    const { host, port } = options;
    const to = `${host?.includes(':') ? `[${host}]` : host}:${port ?? 443}`;
    const isSecure = this.proxy.protocol === 'https:';
    const asked = (isSecure ? overHttps : overHttp)({
      ...addressOf(this.proxy),
      ...(isSecure ? this.proxyTls : {}),
      method: 'CONNECT',
      path: to,
      headers: { host: to, ...this.proxyHeaders },
      agent: false,
      timeout: CONNECT_MS,
    });
    asked.once('connect', ({ statusCode }, socket) => {
      if (statusCode === 200) return done(null, connect({ ...options, socket }));
      socket.destroy();
      done(new Error(`the proxy ${this.proxy.host} answered ${statusCode}`));
    });
    asked.once('response', ({ statusCode }) => {
      asked.destroy(new Error(`the proxy ${this.proxy.host} answered ${statusCode}`));
    });
    asked.once('timeout', () => asked.destroy(timeout(TIMED_OUT.connect)));
    asked.once('error', (error) => done(error));
    asked.end();
  }
}

function addressOf({ hostname, port, protocol }: URL): { host: string; port: string } {
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port || (protocol === 'https:' ? '443' : '80'),
  };
}

function proxyHeaders(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
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
