/** Manifests and blobs of one repository, from its mirrors in order and then from the registry itself. */
import { createHash } from 'node:crypto';
import { TsrunError } from '../errors.js';
import { canonical, type Reference, TAG } from '../intent/reference.js';
import { MediaType, parseObject } from '../types/documents.js';
import { type Digest, isDigest, parseDigest } from '../types/ids.js';
import type { Descriptor } from '../types/oci.js';
import { readLimited } from './auth.js';
import { Connection, Pace } from './connection.js';
import type { Environment } from './credentials.js';
import { type Capability, type RegistryHost, registryHosts } from './hosts.js';
import { backOff, isTransient, pullError, StatusError } from './status.js';
import { failure, type HttpResponse, headerOf } from './transport.js';

const MANIFEST_LIMIT = 4 * 1024 * 1024;
const ATTEMPTS = 5;
const MAX_PAGES = 1000;
const ACCEPT = [
  MediaType.ociIndex,
  MediaType.dockerList,
  MediaType.ociManifest,
  MediaType.dockerManifest,
].join(', ');
export interface ClientOptions {
  readonly certsDir: string;
  readonly env: Environment;
  readonly extraCaFile?: string;
  /** First pause between attempts; it doubles. Default 500 ms. */
  readonly retryMs?: number;
  readonly idleMs?: number;
}

export interface FetchedManifest {
  readonly bytes: Buffer;
  readonly digest: Digest;
  /** Of the Content-Type header, without parameters. */
  readonly mediaType: string | undefined;
}

/** Where a blob's bytes go. `offset` is how many it has; it hashes as it writes. */
export interface BlobSink {
  readonly offset: number;
  write(chunk: Buffer): Promise<void>;
  /** Forgets all bytes. */
  restart(): Promise<void>;
  /** True if all bytes together have the blob's digest. */
  matches(): boolean;
}

export class RegistryClient {
  private readonly connection: Connection;

  private constructor(
    private readonly reference: Reference,
    private readonly hosts: readonly RegistryHost[],
    private readonly options: ClientOptions,
  ) {
    this.connection = new Connection(reference.path, options);
  }

  /** @param reference names the repository; its tag and digest are not looked at */
  static async open(reference: Reference, options: ClientOptions): Promise<RegistryClient> {
    return new RegistryClient(reference, await registryHosts(options.certsDir, reference.domain), options);
  }

  close(): void {
    this.connection.close();
  }

  /** @param which a tag or a digest. @throws TsrunError with Docker's text */
  async manifest(which: string, signal?: AbortSignal): Promise<FetchedManifest> {
    try {
      return await this.fromHosts(isDigest(which) ? 'pull' : 'resolve', signal, async (host) => {
        const response = await this.connection.send(
          host,
          { method: 'GET', at: `manifests/${which}`, headers: { accept: ACCEPT } },
          signal,
        );
        return await readManifest(response, which);
      });
    } catch (error) {
      throw pullError(
        error,
        isDigest(which) ? { ...this.reference, digest: which } : { ...this.reference, tag: which },
      );
    }
  }

  /** All tags of the repository, sorted. @throws TsrunError with Docker's text */
  async tags(signal?: AbortSignal): Promise<string[]> {
    try {
      return await this.fromHosts('resolve', signal, async (host) => {
        const tags = new Set<string>();
        let at: string | URL | undefined = 'tags/list';
        for (let page = 0; at !== undefined; page += 1) {
          const response: HttpResponse = await this.connection.send(host, { method: 'GET', at }, signal);
          const before = tags.size;
          for (const tag of await readTags(response)) tags.add(tag);
          at = nextPage(response);
          // Pages that lead nowhere must not be followed for ever.
          if (at !== undefined && (tags.size === before || page >= MAX_PAGES))
            throw failure(response.url, 'the list of tags does not end');
        }
        return [...tags].sort();
      });
    } catch (error) {
      throw pullError(error, this.reference);
    }
  }

  /**
   * Brings the missing bytes of a blob into `sink`: exactly as many as the descriptor says, with its digest.
   * @throws TsrunError CONTENT if no host has the right bytes
   */
  async blob(descriptor: Descriptor, sink: BlobSink, signal?: AbortSignal): Promise<void> {
    try {
      await this.fromHosts('pull', signal, async (host) => {
        for (;;) {
          const begun = sink.offset;
          if (begun < descriptor.size || descriptor.size === 0)
            await this.receive(host, descriptor, sink, signal);
          if (sink.matches()) return;
          await sink.restart();
          // Another host or an earlier pull may have sent the wrong beginning: all of it from this one, then.
          if (begun === 0) break;
        }
        throw content(
          `filesystem layer verification failed for digest ${descriptor.digest}`,
          descriptor.digest,
        );
      });
    } catch (error) {
      throw error instanceof StatusError && error.code === 'REGISTRY_DENIED'
        ? pullError(error, this.reference)
        : error;
    }
  }

  /** Mirrors get one try each: there is somebody else to ask. The last host gets all. */
  private async fromHosts<T>(
    capability: Capability,
    signal: AbortSignal | undefined,
    ask: (host: RegistryHost) => Promise<T>,
  ): Promise<T> {
    const able = this.hosts.filter((host) => host.capabilities.includes(capability));
    const failures: string[] = [];
    for (const [i, host] of able.entries()) {
      const last = i === able.length - 1;
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await ask(host);
        } catch (error) {
          if (signal?.aborted) throw signal.reason;
          if (last && attempt < ATTEMPTS && isTransient(error)) {
            await backOff(attempt, error, this.options.retryMs ?? 500, signal);
            continue;
          }
          if (last) throw withMirrors(error, failures);
          failures.push(
            `${new URL(host.url).host}: ${error instanceof Error ? error.message : String(error)}`,
          );
          break;
        }
      }
    }
    throw new TsrunError('REGISTRY', `no host may be asked to ${capability} ${canonical(this.reference)}`, {
      step: 'registry.hosts',
      subject: this.reference.domain,
      hint: `hosts.toml of ${this.reference.domain} gives no host the capability "${capability}"`,
    });
  }

  private async receive(
    host: RegistryHost,
    descriptor: Descriptor,
    sink: BlobSink,
    signal?: AbortSignal,
  ): Promise<void> {
    const { digest, size } = descriptor;
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (sink.offset > 0) headers.range = `bytes=${sink.offset}-`;
    const response = await this.connection.send(
      host,
      { method: 'GET', at: `blobs/${digest}`, headers },
      signal,
    );
    const { body, url } = response;
    try {
      if (response.status !== 206 || !continues(response, sink.offset, size)) {
        if (response.status === 206)
          throw content('the registry sent another range than was asked for', digest);
        if (sink.offset > 0) await sink.restart();
      }
      const pace = new Pace(url.host);
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (sink.offset + chunk.length > size) {
          await sink.restart();
          throw content(`${digest} is longer than the ${size} bytes of its descriptor`, digest);
        }
        await sink.write(chunk);
        pace.add(chunk.length);
      }
    } catch (error) {
      body.on('error', () => undefined).destroy();
      throw error instanceof TsrunError ? error : broken(url, error);
    }
    if (sink.offset < size) throw broken(url, undefined);
  }
}

async function readManifest(response: HttpResponse, which: string): Promise<FetchedManifest> {
  const bytes = await readLimited(response.body, MANIFEST_LIMIT, response.url);
  const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  const claimed = isDigest(which) ? which : headerOf(response, 'docker-content-digest');
  if (claimed !== undefined && claimed !== digest)
    throw content(`manifest verification failed for digest ${claimed}`, claimed);
  const mediaType = headerOf(response, 'content-type')?.split(';')[0]?.trim();
  return { bytes, digest, mediaType };
}

async function readTags(response: HttpResponse): Promise<string[]> {
  const { tags } = parseObject(
    await readLimited(response.body, MANIFEST_LIMIT, response.url),
    'list of tags',
    response.url.host,
  );
  const list: unknown[] = Array.isArray(tags) ? tags : []; // null: the repository has none
  return list.filter((tag): tag is string => typeof tag === 'string' && TAG.test(tag));
}

/** A list goes on at the same server, or not at all. */
function nextPage(response: HttpResponse): URL | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(headerOf(response, 'link') ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, response.url.href)) return undefined;
  const next = new URL(target, response.url);
  if (next.origin === response.url.origin) return next;
  throw failure(response.url, `the list of tags goes on at ${next.origin}: refused`);
}

/** True if a 206 goes on where we are. */
function continues(response: HttpResponse, offset: number, size: number): boolean {
  const [, start, total] =
    /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headerOf(response, 'content-range') ?? '') ?? [];
  return Number(start) === offset && (total === '*' || Number(total) === size);
}

function broken(url: URL, cause: unknown): TsrunError {
  return new TsrunError('REGISTRY', `${url.host}: the connection broke before the end of the data`, {
    step: 'registry.request',
    errno: 'ECONNRESET',
    subject: url.host,
    cause,
  });
}

function content(message: string, subject: string): TsrunError {
  return new TsrunError('CONTENT', message, { step: 'registry.verify', subject });
}

function withMirrors(error: unknown, failures: readonly string[]): unknown {
  if (failures.length === 0 || !(error instanceof TsrunError) || error instanceof StatusError) return error;
  const { code, message, step, errno, subject } = error;
  const hint = [error.hint, `mirrors failed too: ${failures.join('; ')}`].filter(Boolean).join('; ');
  return new TsrunError(code, message, { step, errno, subject, hint, cause: error });
}
