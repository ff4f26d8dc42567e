/**
 * Image references: `[domain/]path[:tag][@sha256:hex]`, read as Docker reads them. A short name is one of Docker Hub;
 * there is no search list and no prompting.
 */
import { TsrunError } from '../errors.js';
import { type Digest, isDigest } from '../types/ids.js';

export const DEFAULT_DOMAIN = 'docker.io';
export const DEFAULT_TAG = 'latest';
const OFFICIAL_PREFIX = 'library/';
const MAX_NAME = 255;

export interface Reference {
  /** "docker.io", "localhost:5000" */
  readonly domain: string;
  /** Below the domain: "library/redis" */
  readonly path: string;
  /** As written; see {@link withDefaultTag}. */
  readonly tag?: string;
  /** Decides alone when there is a tag too. */
  readonly digest?: Digest;
}

const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
export const DOMAIN = new RegExp(
  `^(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`,
);
const PATH_PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`);
export const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const HEX64 = /^[0-9a-f]{64}$/;

/** @throws TsrunError USAGE with Docker's words. */
export function parseReference(text: string): Reference {
  if (HEX64.test(text))
    throw invalid(text, `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  const [named, digest] = splitDigest(text);
  const { domain, rest } = splitDomain(named);
  const colon = rest.indexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (path !== path.toLowerCase())
    throw invalid(text, `invalid reference format: repository name (${path}) must be lowercase`);
  if (!DOMAIN.test(domain) || !PATH.test(path) || (tag !== undefined && !TAG.test(tag)))
    throw invalid(text, 'invalid reference format');
  if (domain.length + 1 + path.length > MAX_NAME)
    throw invalid(
      text,
      `invalid reference format: repository name must not be more than ${MAX_NAME} characters`,
    );
  return { domain, path, tag, digest };
}

function splitDigest(text: string): [string, Digest | undefined] {
  const at = text.indexOf('@');
  if (at < 0) return [text, undefined];
  const digest = text.slice(at + 1);
  if (!isDigest(digest)) {
    const known =
      /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/.test(digest) && !digest.startsWith('sha256:');
    throw invalid(text, known ? 'unsupported digest algorithm' : 'invalid reference format');
  }
  return [text.slice(0, at), digest];
}

function splitDomain(named: string): { domain: string; rest: string } {
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const written = isDomain ? first : DEFAULT_DOMAIN;
  const domain = written === 'index.docker.io' ? DEFAULT_DOMAIN : written;
  const rest = isDomain ? named.slice(slash + 1) : named;
  const official = domain === DEFAULT_DOMAIN && !rest.includes('/');
  return { domain, rest: official ? OFFICIAL_PREFIX + rest : rest };
}

function invalid(subject: string, message: string): TsrunError {
  return new TsrunError('USAGE', message, { step: 'image.reference', subject });
}

export function withDefaultTag(reference: Reference): Reference {
  if (reference.tag !== undefined || reference.digest !== undefined) return reference;
  return { ...reference, tag: DEFAULT_TAG };
}

/** "docker.io/library/redis" */
export function repositoryOf({ domain, path }: Reference): string {
  return `${domain}/${path}`;
}

/** "redis", "localhost:5000/app": the repository as people write it. */
export function familiarRepository({ domain, path }: Reference): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const short = path.startsWith(OFFICIAL_PREFIX) ? path.slice(OFFICIAL_PREFIX.length) : path;
  return short.includes('/') ? path : short;
}

/** The key of the image database: "docker.io/library/redis:7", or "…@sha256:…" if there is a digest. */
export function canonical(reference: Reference): string {
  return repositoryOf(reference) + suffix(reference);
}

/** "redis:7", "localhost:5000/app@sha256:…" */
export function familiar(reference: Reference): string {
  return familiarRepository(reference) + suffix(reference);
}

function suffix(reference: Reference): string {
  const { tag, digest } = withDefaultTag(reference);
  return digest === undefined ? `:${tag}` : `@${digest}`;
}
