/** What mutations are made of: layers, images as `load` takes them, root file systems as `import` does. */
import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { sha256 } from '../helpers/images.js';
import { hostileCases } from '../layer/corpus.js';
import { dir, entry, file, hardLink, meta, paxHeader, symlink, tar } from '../layer/tar-builder.js';
import { mutateBytes, mutateJson, pick, type Random } from './bytes.js';

/** `victim`: an absolute directory on the host that the archives aim at. */
export function seedLayers(victim: string): Buffer[] {
  const hostile = hostileCases(victim).map((one) => one.archive ?? tar(...one.parts));
  const good = tar(
    dir('etc', { uid: 1, gid: 2 }),
    file('etc/passwd', 'root:x:0:0\n'.repeat(100), { pax: { 'SCHILY.xattr.user.a': 'b' } }),
    meta('L', Buffer.from(`${'long/'.repeat(30)}name\0`)),
    file('x', 'long name'),
    paxHeader({ comment: 'c' }, 'g'),
    symlink('link', 'etc/passwd'),
    hardLink('hard', 'etc/passwd'),
    entry({ name: 'null', type: '3', major: 1, minor: 3 }),
    entry({ name: 'fifo', type: '6' }),
    file('etc/.wh.gone'),
    file('etc/.wh..wh..opq'),
    file('big', 'y'.repeat(200_000)),
  );
  const packed = [good, ...hostile.slice(0, 12)].flatMap((each) => [gzipSync(each), zstd(each)]);
  return [...hostile, good, ...packed];
}

function zstd(bytes: Buffer): Buffer {
  return spawnSync('zstd', ['-q', '-c'], { input: bytes, maxBuffer: 1 << 28 }).stdout;
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

interface Parts {
  layers: Buffer[];
  /** Inflated. */
  tars: Buffer[];
  config: string;
}

function configOf(tars: readonly Buffer[]): string {
  return JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created: '2026-01-02T03:04:05Z',
    config: { Cmd: ['sh'], Env: ['A=1'], Labels: { a: 'b' } },
    rootfs: { type: 'layers', diff_ids: tars.map(sha256) },
    history: tars.map((_, i) => ({ created_by: `step ${i}` })),
  });
}

/** A docker archive (as `docker save` of old) or an OCI layout; somewhere in it something is wrong. */
export function mutatedImage(seeds: readonly Buffer[], random: Random): Buffer {
  const tars = Array.from({ length: 1 + random(3) }, () => pick(seeds, random)).map((layer) =>
    random(2) === 0 ? mutateBytes(layer, pick(seeds, random), random) : layer,
  );
  const parts: Parts = { layers: tars, tars, config: configOf(tars) };
  // A wrong document whose digest is right, or one that is not what its name says.
  if (random(4) === 0) parts.config = mutateJson(parts.config, random);
  const files = random(2) === 0 ? dockerFiles(parts, random) : layoutFiles(parts, random);
  if (random(3) === 0) {
    const name = pick([...files.keys()], random);
    const content = files.get(name) ?? Buffer.alloc(0);
    const text = content.subarray(0, 1).toString() === '{' || content.subarray(0, 1).toString() === '[';
    files.set(name, text ? changed(content, random) : mutateBytes(content, pick(seeds, random), random));
  }
  const members = [...files].map(([name, content]) => member(name, content, random));
  if (random(10) === 0) members.push(pick(members, random));
  const archive = tar(...members);
  const final = random(3) === 0 ? mutateBytes(archive, pick(seeds, random), random) : archive;
  return random(8) === 0 ? gzipSync(final) : final;
}

function changed(content: Buffer, random: Random): Buffer {
  try {
    return Buffer.from(mutateJson(content.toString(), random), 'latin1');
  } catch {
    return content; // it had been broken before
  }
}

function member(name: string, content: Buffer, random: Random): Buffer {
  if (random(60) === 0) return symlink(name, '../../../../etc/passwd');
  if (random(60) === 0) return hardLink(name, '/etc/passwd');
  if (random(60) === 0) return file(`../../${name}`, '', { body: content });
  return file(name, '', { body: content });
}

function dockerFiles({ layers, config }: Parts, random: Random): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const names = layers.map((_, i) => `layer${i}/layer.tar`);
  for (const [i, layer] of layers.entries()) files.set(names[i] ?? '', layer);
  const configName = `${sha256(config).slice(7)}.json`;
  files.set(configName, Buffer.from(config));
  const manifest = JSON.stringify([{ Config: configName, RepoTags: ['mutated:1'], Layers: names }]);
  files.set('manifest.json', Buffer.from(random(3) === 0 ? mutateJson(manifest, random) : manifest));
  return files;
}

function layoutFiles({ layers, config }: Parts, random: Random): Map<string, Buffer> {
  const files = new Map<string, Buffer>([['oci-layout', json({ imageLayoutVersion: '1.0.0' })]]);
  const add = (content: Buffer, mediaType: string) => {
    files.set(`blobs/sha256/${sha256(content).slice(7)}`, content);
    return { mediaType, digest: sha256(content), size: content.length };
  };
  const type = (kind: string) => `application/vnd.oci.image.${kind}`;
  const packing = random(2);
  const descriptors = layers.map((layer) =>
    packing === 0 ? add(layer, type('layer.v1.tar')) : add(gzipSync(layer), type('layer.v1.tar+gzip')),
  );
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: type('manifest.v1+json'),
    config: add(Buffer.from(config), type('config.v1+json')),
    layers: descriptors,
  });
  const stored = add(
    Buffer.from(random(4) === 0 ? mutateJson(manifest, random) : manifest),
    type('manifest.v1+json'),
  );
  const annotations = { 'org.opencontainers.image.ref.name': 'docker.io/library/mutated:1' };
  files.set('index.json', json({ schemaVersion: 2, manifests: [{ ...stored, annotations }] }));
  return files;
}
