import { parseFilters } from '../../src/intent/filters.js';
import type { ContainerSummary } from '../../src/types/engine.js';
import type { ContainerId, ImageId } from '../../src/types/ids.js';
import { defineCommand } from '../command.js';
import { ellipsis, goQuote } from '../render/escape.js';
import { type Field, fieldsUsed, renderListing } from '../render/listing.js';
import { goTime, humanAge, humanSize } from '../render/units.js';
import { FILTER, FORMAT, NO_TRUNC } from './listing-flags.js';

const COLUMNS = ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'];
const COMMAND_WIDTH = 20;
const MOUNT_WIDTH = 15;
const WORDS = { parse: 'failed to parse template: ', execute: 'failed to execute template: ' };
const NOBODY: ContainerSummary = {
  id: '' as ContainerId,
  names: [],
  image: '',
  imageId: '' as ImageId,
  command: '',
  created: '1970-01-01T00:00:00Z',
  state: 'created',
  status: '',
  ports: [],
  labels: {},
  mounts: [],
  networks: [],
};

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [
    { name: 'all', short: 'a', kind: 'bool', help: 'Show all containers (default shows just running)' },
    FILTER,
    FORMAT,
    {
      name: 'last',
      short: 'n',
      kind: 'int',
      help: 'Show n last created containers (includes all states)',
      default: -1,
    },
    {
      name: 'latest',
      short: 'l',
      kind: 'bool',
      help: 'Show the latest created container (includes all states)',
    },
    NO_TRUNC,
    { name: 'quiet', short: 'q', kind: 'bool', help: 'Only display container IDs' },
    { name: 'size', short: 's', kind: 'bool', help: 'Display total file sizes' },
  ],
  min: 0,
  max: 0,
  examples: [
    ['tsrun ps -a --filter status=exited', 'What has ended'],
    ["tsrun ps --format '{{.Names}}: {{.Status}}'", 'Only two fields'],
  ],
  async run(cli, flags) {
    const engine = await cli.engine();
    const last = flags.last !== undefined && flags.last > 0 ? flags.last : flags.latest ? 1 : undefined;
    const filters = parseFilters(flags.filter);
    const format = flags.quiet ? undefined : flags.format;
    if (flags.quiet && flags.format)
      cli.err('WARNING: Ignoring custom format, because both --format and --quiet are set\n');
    const listing = {
      fields: containerFields(!flags['no-trunc'], Date.now()),
      methods: { Label: { header: labelHeader, value: rowLabel } },
      absent: ['Platform'],
      type: '*formatter.ContainerContext',
      format,
    };
    // Sizes cost a walk through the files: they are asked for when they are shown.
    const size =
      flags.size || (format !== undefined && (await fieldsUsed(listing, NOBODY, WORDS)).has('Size'));
    const rows = await engine.ps({ all: flags.all, last, size: size && !flags.quiet, filters });
    cli.out(
      await renderListing({
        ...listing,
        rows,
        columns: flags.size ? [...COLUMNS, 'Size'] : COLUMNS,
        quiet: flags.quiet ? 'ID' : undefined,
        terminal: cli.isTty(1),
      }),
    );
    return 0;
  },
});

function rowLabel(row: ContainerSummary, key: string): string {
  return row.labels[key] ?? '';
}

export function containerFields(trunc: boolean, now: number): Record<string, Field<ContainerSummary>> {
  const cut = (text: string, width: number) => (trunc ? ellipsis(text, width) : text);
  return {
    ID: { header: 'CONTAINER ID', value: (row) => (trunc ? row.id.slice(0, 12) : row.id) },
    Image: { header: 'IMAGE', value: (row) => row.image || '<no image>' },
    Command: { header: 'COMMAND', value: (row) => goQuote(cut(row.command, COMMAND_WIDTH)) },
    CreatedAt: { header: 'CREATED AT', value: (row) => goTime(row.created) },
    RunningFor: { header: 'CREATED', value: (row) => humanAge(row.created, now) },
    State: { header: 'STATE', value: (row) => row.state },
    Status: { header: 'STATUS', value: (row) => row.status },
    Ports: { header: 'PORTS', value: (row) => row.ports.join(', ') },
    Names: { header: 'NAMES', value: (row) => row.names.join(',') },
    Size: { header: 'SIZE', value: containerSize },
    Labels: { header: 'LABELS', value: (row) => labelList(row.labels) },
    Mounts: {
      header: 'MOUNTS',
      value: (row) => row.mounts.map((mount) => cut(mount, MOUNT_WIDTH)).join(','),
    },
    LocalVolumes: {
      header: 'LOCAL VOLUMES',
      value: (row) => String(row.mounts.filter((mount) => !mount.startsWith('/')).length),
    },
    Networks: { header: 'NETWORKS', value: (row) => row.networks.join(',') },
  };
}

function containerSize(row: ContainerSummary): string {
  const written = humanSize(row.sizeRw ?? 0);
  return row.sizeRootFs ? `${written} (virtual ${humanSize(row.sizeRootFs)})` : written;
}

function labelList(labels: Record<string, string>): string {
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${labels[key]}`)
    .join(',');
}

/** The column title of `.Label "com.example.some-name"`: "some name". */
function labelHeader(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1).replace(/[-_]/g, ' ');
}
