/** What the two kinds of archive have in common, as `load` sees them. */
import { TsrunError } from '../errors.js';
import { canonical, parseReference, withDefaultTag } from '../intent/reference.js';
import { parseImageConfig } from '../types/documents.js';
import type { Digest } from '../types/ids.js';
import type { ImageConfig } from '../types/oci.js';

/** A file whose bytes have been hashed. */
export interface BlobFile {
  readonly path: string;
  readonly size: number;
  readonly digest: Digest;
}

/** The members of an archive, or the files of a directory: where the bytes are. */
export interface Content {
  /** The document called `name`, or undefined. Never more than MAX_DOCUMENT bytes. */
  document(name: string): Promise<Buffer | undefined>;
  file(name: string): Promise<BlobFile | undefined>;
}

export interface PlannedImage {
  readonly config: ImageConfig;
  readonly configBytes: Buffer;
  readonly manifestBytes: Buffer;
  readonly mediaType: string;
  readonly layers: readonly BlobFile[];
  /** Canonical. */
  readonly references: readonly string[];
}

export function configOf(bytes: Buffer, subject: string, layers: number): ImageConfig {
  const config = parseImageConfig(bytes, subject);
  const count = config.rootfs.diff_ids.length;
  if (count !== layers) throw bad(subject, `${layers} layers, but ${count} diff IDs`);
  if (config.os !== 'linux')
    throw bad(subject, `image operating system "${config.os}" cannot be used on this platform`);
  return config;
}

/** Canonical. */
export function referenceIn(name: string): string {
  const reference = withDefaultTag(parseReference(name));
  return canonical(reference.digest === undefined ? reference : { ...reference, tag: undefined });
}

export function bad(subject: string, message: string): TsrunError {
  return new TsrunError('FORMAT', `invalid archive: ${subject}: ${message}`, { step: 'image.load', subject });
}
