import { parseFilters } from '../../src/intent/filters.js';
import type { ImageSummary } from '../../src/types/engine.js';
import { defineCommand } from '../command.js';
import { type Field, renderListing } from '../render/listing.js';
import { goTime, humanAge, humanSize } from '../render/units.js';
import { FILTER, FORMAT, NO_TRUNC } from './listing-flags.js';

export const command = defineCommand({
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  flags: [
    { name: 'all', short: 'a', kind: 'bool', help: 'Show all images (default hides intermediate images)' },
    { name: 'digests', kind: 'bool', help: 'Show digests' },
    FILTER,
    FORMAT,
    NO_TRUNC,
    { name: 'quiet', short: 'q', kind: 'bool', help: 'Only show image IDs' },
  ],
  min: 0,
  max: 1,
  examples: [
    ['tsrun images redis', 'All tags of one repository'],
    ['tsrun images -q --filter dangling=true', 'IDs of images without a name'],
  ],
  async run(cli, flags, [reference]) {
    const engine = await cli.engine();
    const images = await engine.images({ all: flags.all, reference, filters: parseFilters(flags.filter) });
    const digests = flags.digests || /\.Digest\b/.test(flags.format ?? '');
    const columns = ['Repository', 'Tag', ...(flags.digests ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'];
    cli.out(
      await renderListing({
        rows: images.flatMap((image) => imageRows(image, digests)),
        fields: imageFields(!flags['no-trunc'], Date.now()),
        type: '*formatter.imageContext',
        columns,
        format: flags.format,
        quiet: flags.quiet ? 'ID' : undefined,
        terminal: cli.isTty(1),
      }),
    );
    return 0;
  },
});

export interface ImageRow {
  image: ImageSummary;
  repository: string;
  tag: string;
  digest: string;
}

const NONE = '<none>';

/** One row per tag; with digests one per tag and digest; a repository known by digest alone has a row too. */
export function imageRows(image: ImageSummary, digests: boolean): ImageRow[] {
  const tags = image.repoTags.map((name) => cutAt(name, name.lastIndexOf(':')));
  const known = image.repoDigests.map((name) => cutAt(name, name.indexOf('@')));
  const rows: ImageRow[] = [];
  for (const [repository, tag] of tags) {
    const own = digests ? known.filter(([name]) => name === repository).map(([, digest]) => digest) : [];
    for (const digest of own.length > 0 ? own : [NONE]) rows.push({ image, repository, tag, digest });
  }
  const tagged = new Set(tags.map(([repository]) => repository));
  const seen = new Set<string>();
  for (const [repository, digest] of known) {
    if (tagged.has(repository) || (!digests && seen.has(repository))) continue;
    seen.add(repository);
    rows.push({ image, repository, tag: NONE, digest: digests ? digest : NONE });
  }
  return rows.length > 0 ? rows : [{ image, repository: NONE, tag: NONE, digest: NONE }];
}

function cutAt(text: string, at: number): [string, string] {
  return [text.slice(0, at), text.slice(at + 1)];
}

export function imageFields(trunc: boolean, now: number): Record<string, Field<ImageRow>> {
  return {
    ID: { header: 'IMAGE ID', value: ({ image }) => (trunc ? image.id.slice(7, 19) : image.id) },
    Repository: { header: 'REPOSITORY', value: (row) => row.repository },
    Tag: { header: 'TAG', value: (row) => row.tag },
    Digest: { header: 'DIGEST', value: (row) => row.digest },
    CreatedSince: { header: 'CREATED', value: ({ image }) => humanAge(image.created, now) },
    CreatedAt: {
      header: 'CREATED AT',
      value: ({ image }) => (image.created ? goTime(image.created) : 'N/A'),
    },
    Size: { header: 'SIZE', value: ({ image }) => humanSize(image.size) },
    Containers: { header: 'CONTAINERS', value: () => 'N/A' },
    VirtualSize: { header: 'SIZE', value: ({ image }) => humanSize(image.size, 4) },
    SharedSize: { header: 'SHARED SIZE', value: () => 'N/A' },
    UniqueSize: { header: 'UNIQUE SIZE', value: () => 'N/A' },
  };
}
