/** One layer without an engine: the helper's verbs beside GNU tar, gzip and umoci. */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run, writeArchive } from '../rootfs-fixtures/archive.js';
import { debianBase } from '../rootfs-fixtures/debian.js';
import { measure, type Row } from './measure.js';

const RUNTIME = resolve('build/Release/tsrun-runtime');

export interface Material {
  readonly dir: string;
  /** The layer of a minimal Debian: plain, and compressed by gzip -6. */
  readonly tar: string;
  readonly gz: string;
  /** What it unpacks to. */
  readonly tree: string;
  /** An OCI layout of an image with that layer alone, tag `bench`. */
  readonly layout: string;
  remove(): void;
}

export function material(): Material {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-layers-'));
  const at = (name: string) => join(dir, name);
  const [tar, layout, tree] = [debianBase(), at('layout'), at('tree')];
  const base = { path: tar, compression: 'none' as const, createdBy: 'debian' };
  writeArchive({ layers: [base], config: {}, tag: 'bench:latest', reference: 'bench' }, at('archive'));
  run('skopeo', ['copy', '--quiet', `oci-archive:${at('archive')}`, `oci:${layout}:bench`]);
  run('sh', ['-c', `gzip -6 -n <'${tar}' >'${at('layer.gz')}'`]);
  mkdirSync(tree);
  run('tar', ['-xpf', tar, '--numeric-owner', '--xattrs', '--xattrs-include=*', '-C', tree]);
  return {
    dir,
    tar,
    gz: at('layer.gz'),
    tree,
    layout,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

const shell = (script: string): string[] => ['sh', '-c', script];

export function benchUnpack(layer: Material, rounds: number, only: string): [string, Row[]][] {
  const target = join(layer.dir, 'target');
  const empty = () => mkdirSync(target);
  const gone = () => rmSync(target, { recursive: true, force: true });
  const into = (name: string, command: string[]) => ({ name, command, before: empty, after: gone });
  const flags = `-xp --numeric-owner --xattrs -C '${target}'`;
  const apply = (input: string) =>
    shell(`exec '${RUNTIME}' engine apply --target '${target}' --base yes <'${input}' 2>/dev/null`);
  const size = (path: string) => `${Math.round(statSync(path).size / 1e6)} MB`;
  const cases: [string, () => Row[]][] = [
    [
      `unpacking a .tar.gz layer (${size(layer.gz)})`,
      () =>
        measure(
          [
            into('tsrun, with both digests', apply(layer.gz)),
            into('`tar xzf`', shell(`exec tar ${flags} -zf '${layer.gz}'`)),
            // It makes the directory, and reads the layer from an OCI layout.
            {
              name: '`umoci unpack`',
              command: ['umoci', 'unpack', '--image', `${layer.layout}:bench`, target],
              after: gone,
            },
          ],
          rounds,
        ),
    ],
    [
      `unpacking a plain layer (${size(layer.tar)})`,
      () =>
        measure(
          [
            into('tsrun, with its digest', apply(layer.tar)),
            into('`tar xf`', shell(`exec tar ${flags} -f '${layer.tar}'`)),
          ],
          rounds,
        ),
    ],
  ];
  return cases.filter(([title]) => title.includes(only)).map(([title, bench]) => [title, bench()]);
}

export function benchPack(layer: Material, rounds: number, only: string): [string, Row[]][] {
  const out = join(layer.dir, 'out');
  const pack = `'${RUNTIME}' engine pack --upper '${layer.tree}' 2>/dev/null`;
  const tar = `tar --sort=name --numeric-owner --xattrs -c -C '${layer.tree}' .`;
  const sizes = new Map<string, number>();
  const to = (name: string, script: string) => ({
    name,
    command: shell(`${script} >'${out}'`),
    after: () => {
      sizes.set(name, statSync(out).size);
      rmSync(out);
    },
  });
  const sized = (rows: Row[]): Row[] =>
    rows.map((row) => ({ ...row, name: `${row.name}: ${((sizes.get(row.name) ?? 0) / 1e6).toFixed(1)} MB` }));
  const cases: [string, () => Row[]][] = [
    [
      'packing a directory as a layer',
      () => measure([to('tsrun, with its digest', pack), to('`tar --sort=name`', tar)], rounds),
    ],
    [
      'packing it compressed',
      () =>
        measure(
          [
            to('tsrun, with both digests', `${pack} | '${RUNTIME}' engine compress 2>/dev/null`),
            to('`tar --sort=name` and `gzip -6`', `${tar} | gzip -6`),
          ],
          rounds,
        ),
    ],
  ];
  return cases.filter(([title]) => title.includes(only)).map(([title, bench]) => [title, sized(bench())]);
}
