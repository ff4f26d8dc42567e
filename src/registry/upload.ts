/** Blobs and manifests on their way to one repository of a registry. */
import { Readable } from 'node:stream';
import { TsrunError } from '../errors.js';
import { canonical, type Reference } from '../intent/reference.js';
import type { Digest } from '../types/ids.js';
import type { Descriptor } from '../types/oci.js';
import type { ClientOptions } from './client.js';
import { Connection, drop } from './connection.js';
import { type RegistryHost, registryHosts } from './hosts.js';
import { backOff, isTransient, StatusError } from './status.js';
import { type HttpResponse, headerOf } from './transport.js';

const ATTEMPTS = 5;

/** A blob to send: `read` gives its bytes from `offset` on, as often as it is asked. */
export interface BlobSource {
  readonly descriptor: Descriptor;
  read(offset: number): Readable;
}

export class RegistryUpload {
  private readonly connection: Connection;

  private constructor(
    reference: Reference,
    private readonly host: RegistryHost,
    private readonly options: ClientOptions,
  ) {
    this.connection = new Connection(reference.path, options, 'pull,push');
  }

  /** @param reference names the repository. @throws TsrunError REGISTRY if hosts.toml lets nobody be pushed to */
  static async open(reference: Reference, options: ClientOptions): Promise<RegistryUpload> {
    const hosts = await registryHosts(options.certsDir, reference.domain);
    // Mirrors come first and are for reading: what is pushed goes to the registry itself.
    const host = hosts.findLast(({ capabilities }) => capabilities.includes('push'));
    if (host !== undefined) return new RegistryUpload(reference, host, options);
    throw new TsrunError('REGISTRY', `no host may be asked to push ${canonical(reference)}`, {
      step: 'registry.hosts',
      subject: reference.domain,
      hint: `hosts.toml of ${reference.domain} gives no host the capability "push"`,
    });
  }

  close(): void {
    this.connection.close();
  }

  /** True if the repository has the blob already. */
  async has({ digest }: Descriptor, signal?: AbortSignal): Promise<boolean> {
    return await this.trying(signal, async () => {
      try {
        drop(await this.connection.send(this.host, { method: 'HEAD', at: `blobs/${digest}` }, signal));
        return true;
      } catch (error) {
        if (error instanceof StatusError && error.status === 404) return false;
        throw error;
      }
    });
  }

  /**
   * Sends a blob that the repository does not have.
   * @param from another repository of the registry that may have it: then the registry may link it instead
   * @param onProgress bytes that were handed over so far
   * @returns false if it was linked
   */
  async blob(
    { descriptor, read }: BlobSource,
    from: string | undefined,
    onProgress: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { digest, size } = descriptor;
    let place: URL | undefined;
    return await this.trying(signal, async () => {
      let offset = 0;
      if (place === undefined) {
        const begun = await this.begin(digest, from, signal);
        if (begun === undefined) return false;
        place = begun;
      } else {
        const known = await this.progress(place, signal);
        if (known === undefined) {
          place = undefined; // the registry has forgotten about it: from the beginning
          throw interrupted(this.host.url);
        }
        ({ offset, place } = known);
      }
      if (offset < size) place = await this.send(place, { descriptor, read }, offset, onProgress, signal);
      const at = new URL(place);
      at.searchParams.set('digest', digest);
      drop(
        await this.connection.send(
          this.host,
          { method: 'PUT', at, headers: { 'content-length': '0' } },
          signal,
        ),
      );
      return true;
    });
  }

  /** @param which a tag or the manifest's own digest */
  async manifest(which: string, bytes: Buffer, mediaType: string, signal?: AbortSignal): Promise<void> {
    const headers = { 'content-type': mediaType, 'content-length': String(bytes.length) };
    await this.trying(signal, async () => {
      const at = `manifests/${which}`;
      drop(await this.connection.send(this.host, { method: 'PUT', at, headers, body: bytes }, signal));
    });
  }

  /** Where the blob is to be sent; undefined if the registry has linked it from `from`. */
  private async begin(digest: Digest, from?: string, signal?: AbortSignal): Promise<URL | undefined> {
    const query = from === undefined ? '' : `?${new URLSearchParams({ mount: digest, from })}`;
    const headers = { 'content-length': '0' };
    const response = await this.connection.send(
      this.host,
      { method: 'POST', at: `blobs/uploads/${query}`, headers },
      signal,
    );
    drop(response);
    return response.status === 201 ? undefined : placeOf(response);
  }

  private async send(
    at: URL,
    { descriptor: { size }, read }: BlobSource,
    offset: number,
    onProgress: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<URL> {
    const headers = {
      'content-type': 'application/octet-stream',
      'content-length': String(size - offset),
      'content-range': `${offset}-${size - 1}`,
    };
    const body = () =>
      Readable.from(
        counted(read(offset), (bytes) => onProgress(offset + bytes)),
        { objectMode: false },
      );
    const response = await this.connection.send(this.host, { method: 'PATCH', at, headers, body }, signal);
    drop(response);
    return placeOf(response);
  }

  /** How much of an upload that broke has arrived; undefined if it is not known there any more. */
  private async progress(at: URL, signal?: AbortSignal): Promise<{ place: URL; offset: number } | undefined> {
    try {
      const response = await this.connection.send(this.host, { method: 'GET', at }, signal);
      drop(response);
      const last = /^(?:bytes=)?0-(\d+)$/.exec(headerOf(response, 'range') ?? '')?.[1];
      // "0-0" is what some say of nothing: one byte more or less is not worth the doubt.
      const offset = last === undefined || last === '0' ? 0 : Number(last) + 1;
      return offset === 0 ? undefined : { place: placeOf(response), offset };
    } catch (error) {
      if (error instanceof StatusError && error.status < 500) return undefined;
      throw error;
    }
  }

  private async trying<T>(signal: AbortSignal | undefined, job: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await job();
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (attempt >= ATTEMPTS || !isTransient(error)) throw error;
        await backOff(attempt, error, this.options.retryMs ?? 500, signal);
      }
    }
  }
}

async function* counted(bytes: AsyncIterable<Buffer>, tell: (total: number) => void): AsyncGenerator<Buffer> {
  let total = 0;
  for await (const chunk of bytes) {
    yield chunk;
    total += chunk.length;
    tell(total);
  }
}

/** The registry's word for where an upload goes on. */
function placeOf(response: HttpResponse): URL {
  const location = headerOf(response, 'location');
  try {
    if (location === undefined) throw new TypeError('no Location header');
    const place = new URL(location, response.url);
    const lost = response.url.protocol === 'https:' && place.protocol !== 'https:';
    if (lost || !/^https?:$/.test(place.protocol)) throw new TypeError(`an upload by ${place.protocol}`);
    return place;
  } catch (cause) {
    throw new TsrunError('REGISTRY', `${response.url.host}: the registry gave no place for the upload`, {
      step: 'registry.upload',
      subject: response.url.host,
      cause,
    });
  }
}

function interrupted(url: string): TsrunError {
  const { host } = new URL(url);
  return new TsrunError('REGISTRY', `${host}: the upload was interrupted`, {
    step: 'registry.upload',
    errno: 'ECONNRESET',
    subject: host,
  });
}
