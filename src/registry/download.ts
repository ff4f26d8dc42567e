/** A file of some web server, for `import URL`. No credentials are sent. */
import { STATUS_CODES } from 'node:http';
import type { Readable } from 'node:stream';
import { drop, Pace } from './connection.js';
import { failure, headerOf, NO_TLS_SETTINGS, Transport, type TransportOptions } from './transport.js';

export interface Download {
  readonly body: AsyncIterable<Buffer>;
  /** bytes, if the server says */
  readonly size: number | undefined;
  close(): void;
}

/** @throws TsrunError REGISTRY if the server has no such file or does not answer; so does the body when it breaks */
export async function openDownload(
  url: URL,
  options: TransportOptions,
  signal?: AbortSignal,
): Promise<Download> {
  const transport = new Transport(options);
  try {
    const headers = { 'user-agent': 'tsrun', 'accept-encoding': 'identity' };
    const response = await transport.send({ method: 'GET', url, headers, tls: NO_TLS_SETTINGS, signal });
    if (response.status !== 200) {
      drop(response);
      const words = `${response.status} ${STATUS_CODES[response.status] ?? ''}`.trim();
      throw failure(response.url, `got HTTP status code ${words}`);
    }
    const length = Number(headerOf(response, 'content-length') ?? Number.NaN);
    const size = Number.isSafeInteger(length) ? length : undefined;
    const close = () => transport.close();
    return { body: received(response.body, response.url, size), size, close };
  } catch (error) {
    transport.close();
    throw error;
  }
}

async function* received(body: Readable, url: URL, size: number | undefined): AsyncGenerator<Buffer> {
  const pace = new Pace(url.host);
  let total = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      total += chunk.length;
      pace.add(chunk.length);
      yield chunk;
    }
  } catch (error) {
    body.on('error', () => undefined).destroy();
    throw failure(url, 'the connection broke before the end of the data', error);
  }
  if (size !== undefined && total !== size)
    throw failure(url, `the connection broke after ${total} of ${size} bytes`);
}
