/** An HTTP server on a loopback address of its own, that answers as a test says and remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface Asked {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface FakeServer {
  /** "127.0.0.1:41234" */
  readonly host: string;
  readonly asked: Asked[];
  stop(): Promise<void>;
}

export type Answer = (asked: Asked, response: ServerResponse) => void;

export function fakeServer(answer: Answer, address = '127.0.0.1'): Promise<FakeServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const each = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      asked.push(each);
      answer(each, response);
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, () => {
      const bound = server.address();
      if (bound === null || typeof bound === 'string') return reject(new Error('no address'));
      resolve({
        host: `${address}:${bound.port}`,
        asked,
        stop: () =>
          new Promise((stopped) => {
            server.closeAllConnections();
            server.close(() => stopped());
          }),
      });
    });
  });
}
