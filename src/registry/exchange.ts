/** One HTTP exchange on Node's own client: a request, the head of its answer, and time-outs until the last byte. */
import { type IncomingMessage, request as overHttp, type RequestOptions } from 'node:http';
import { request as overHttps } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import type { Route } from './agents.js';
import { TIMED_OUT, timeout } from './timeouts.js';

export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body?: string | Buffer | Readable;
  readonly signal?: AbortSignal;
  /** Time without a byte after which a server is given up, in milliseconds. */
  readonly idleMs: number;
}

const CONNECT_MS = 15_000;
const MAX_HEADERS = 64 * 1024;

/** Resolves with the head; its stream fails if the body is not whole. @throws the error of the socket */
export function exchange(what: Exchange, route: Route): Promise<IncomingMessage> {
  const { url, signal } = what;
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const isSecure = url.protocol === 'https:';
    const client = (isSecure ? overHttps : overHttp)(optionsOf(what, route));
    const give = (error: Error) => (answer ?? client).destroy(error);
    const abort = () => give(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    client.once('close', () => signal?.removeEventListener('abort', abort));
    client.once('socket', (socket) => {
      if (!socket.connecting) return;
      const timer = setTimeout(() => give(timeout(TIMED_OUT.connect)), CONNECT_MS);
      for (const event of [isSecure ? 'secureConnect' : 'connect', 'close'])
        socket.once(event, () => clearTimeout(timer));
    });
    client.setTimeout(what.idleMs);
    client.on('timeout', () => {
      // It is us who do not read.
      if (answer !== undefined && answer.readableLength > 0) client.setTimeout(what.idleMs);
      else give(timeout(answer === undefined ? TIMED_OUT.head : TIMED_OUT.body));
    });
    client.on('error', reject);
    client.once('response', (response) => {
      answer = response;
      response.on('error', () => undefined); // whoever reads it is told as well
      resolve(response);
    });
    if (what.body === undefined || typeof what.body === 'string' || Buffer.isBuffer(what.body))
      client.end(what.body);
    else pipeline(what.body, client, () => undefined); // a failure destroys the client, whose error is told
  });
}

function optionsOf({ method, url, headers }: Exchange, { agent, proxy }: Route): RequestOptions {
  const common = { method, agent, maxHeaderSize: MAX_HEADERS };
  if (proxy === undefined)
    return {
      ...common,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || undefined,
      path: url.pathname + url.search,
      headers,
    };
  return {
    ...common,
    host: proxy.host,
    port: proxy.port,
    path: url.href,
    headers: { host: url.host, ...headers, ...proxy.headers },
  };
}
