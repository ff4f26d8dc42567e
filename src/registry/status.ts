/** Answers of a registry that are errors, in Docker's words. */
import { setTimeout as delay } from 'node:timers/promises';
import { TsrunError } from '../errors.js';
import { familiar, familiarRepository, type Reference } from '../intent/reference.js';
import { isObject } from '../types/documents.js';
import { readLimited } from './auth.js';
import { type HttpResponse, headerOf } from './transport.js';

const ERROR_BODY_LIMIT = 64 * 1024;
const LONGEST_WAIT_S = 60;
const TRANSIENT = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN']);

/** A status of 400 or more. */
export class StatusError extends TsrunError {
  constructor(
    message: string,
    readonly status: number,
    /** "MANIFEST_UNKNOWN", … as the registry gave it. */
    readonly registryCode: string | undefined,
    /** Seconds that the server asked us to wait. */
    readonly retryAfter: number | undefined,
    subject: string,
  ) {
    super(status === 401 || status === 403 ? 'REGISTRY_DENIED' : 'REGISTRY', message, {
      step: 'registry.request',
      subject,
    });
  }
}

/** Reads (a bounded part of) the body of an error answer. */
export async function statusError(response: HttpResponse): Promise<StatusError> {
  const { status, url } = response;
  const body = await readLimited(response.body, ERROR_BODY_LIMIT, url).catch(() => Buffer.alloc(0));
  const { code, message } = errorIn(body);
  const words =
    code === undefined
      ? `the server answered ${status}`
      : `${code.toLowerCase().replaceAll('_', ' ')}: ${message}`;
  const after = Number(headerOf(response, 'retry-after'));
  return new StatusError(words, status, code, Number.isFinite(after) ? after : undefined, url.host);
}

function errorIn(body: Buffer): { code?: string; message: string } {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    return { message: '' }; // an HTML page of some proxy
  }
  const first = isObject(json) && Array.isArray(json.errors) ? json.errors[0] : undefined;
  if (!isObject(first) || typeof first.code !== 'string') return { message: '' };
  const message = typeof first.message === 'string' ? first.message : '';
  // A terminal is on the other side: no control characters from a stranger.
  return { code: clean(first.code), message: clean(message) };
}

function clean(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ').slice(0, 500);
}

export function isTransient(error: unknown): boolean {
  if (error instanceof StatusError)
    return error.status === 408 || error.status === 429 || error.status >= 500;
  return error instanceof TsrunError && error.errno !== undefined && TRANSIENT.has(error.errno);
}

/** Waits before attempt `attempt` (1 = the second): doubling, or what the server asked for. */
export async function backOff(
  attempt: number,
  error: unknown,
  baseMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const asked = error instanceof StatusError ? error.retryAfter : undefined;
  const ms =
    asked === undefined ? baseMs * 2 ** (attempt - 1) : Math.min(Math.max(asked, 0), LONGEST_WAIT_S) * 1000;
  try {
    await delay(ms, undefined, { signal });
  } catch (cause) {
    signal?.throwIfAborted(); // its own reason, not node:timers' wrapping of it
    throw cause;
  }
}

/** What a failed manifest request means for the user who asked for `reference`. */
export function pullError(error: unknown, reference: Reference): unknown {
  if (!(error instanceof TsrunError)) return error;
  const details = { step: 'image.pull', subject: familiar(reference), hint: error.hint, cause: error };
  if (error.code === 'REGISTRY_DENIED')
    return new TsrunError(
      'REGISTRY_DENIED',
      `pull access denied for ${familiarRepository(reference)}, repository does not exist or may require ` +
        `'docker login': ${error.message}`,
      details,
    );
  if (!(error instanceof StatusError) || error.status !== 404) return error;
  if (error.registryCode === 'NAME_UNKNOWN')
    return new TsrunError(
      'NOT_FOUND',
      `repository ${familiarRepository(reference)} not found: ${error.message}`,
      details,
    );
  return new TsrunError(
    'NOT_FOUND',
    `manifest for ${familiar(reference)} not found: ${error.message}`,
    details,
  );
}
