/** Branded strings: a digest cannot be passed where a container id is meant. Made only by the parsers below. */
import { TsrunError } from '../errors.js';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** `sha256:` + 64 lower-case hex: of a blob as it is stored (compressed), of a manifest, of a config. */
export type Digest = Branded<'Digest'>;
/** sha256 of a layer's uncompressed tar. */
export type DiffId = Branded<'DiffId'>;
/** Identity of a stack of layers: the first is its diff ID, then sha256(parent + " " + diff ID). */
export type ChainId = Branded<'ChainId'>;
/** 64 lower-case hex. */
export type ContainerId = Branded<'ContainerId'>;
/** Digest of the image's config blob: Docker's image id. */
export type ImageId = Digest;

const SHA256 = /^sha256:[0-9a-f]{64}$/;
const HEX64 = /^[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return SHA256.test(text);
}

/** @throws TsrunError FORMAT. Digests become paths and URLs: nothing else may pass. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text))
    throw new TsrunError('FORMAT', `invalid digest: ${JSON.stringify(text)}`, { subject: text });
  return text;
}

export function parseDiffId(text: string): DiffId {
  return parseDigest(text) as string as DiffId;
}

export function parseContainerId(text: string): ContainerId {
  if (!HEX64.test(text))
    throw new TsrunError('FORMAT', `invalid container id: ${JSON.stringify(text)}`, { subject: text });
  return text as ContainerId;
}

/** The hex part of a digest, diff ID or chain ID. */
export function hexOf(id: Digest | DiffId | ChainId): string {
  return id.slice('sha256:'.length);
}
