/** Whether a server speaks TLS at all. */
import { connect } from 'node:tls';
import { errnoOf } from '../errors.js';

/** How OpenSSL, or a server that hangs up, says that the other side does not. */
const NOT_TLS = /^(?:ERR_SSL_|EPROTO|ECONNRESET|EPIPE)/;
const PATIENCE_MS = 5000;

/**
 * Asked before a request, of loopback addresses only: a request that finds out by itself reads some hundred root
 * certificates first, a tenth of a second for nothing. Nothing is sent, so nobody has to be who he says.
 * @returns true also if it cannot be told: the request then says what is wrong
 */
export function speaksTls({ hostname, port }: URL, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 443),
      ca: [],
      rejectUnauthorized: false,
      timeout: PATIENCE_MS,
    });
    const abort = () => {
      socket.destroy();
      reject(signal?.reason);
    };
    const answer = (speaks: boolean) => {
      signal?.removeEventListener('abort', abort);
      socket.destroy();
      resolve(speaks);
    };
    socket.once('secureConnect', () => answer(true));
    socket.once('timeout', () => answer(true));
    socket.on('error', (error) => answer(!NOT_TLS.test(errnoOf(error) ?? '')));
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
