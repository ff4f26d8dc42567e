import type { DiskUsage } from '../../src/types/engine.js';
import { defineCommand } from '../command.js';
import { renderListing } from '../render/listing.js';
import { renderTable } from '../render/table.js';
import { humanAge, humanSize } from '../render/units.js';
import { UsageError } from '../usage.js';

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [
    { name: 'format', kind: 'string', help: "'table', 'json' or a Go template" },
    { name: 'verbose', short: 'v', kind: 'bool', help: 'Every image, container and volume' },
  ],
  min: 0,
  max: 0,
  examples: [['tsrun system df -v', 'What each image, container and volume takes']],
  async run(cli, flags) {
    if (flags.verbose && flags.format)
      throw new UsageError('tsrun: the verbose option cannot be used with --format', 1, { usage: false });
    const usage = await (await cli.engine()).diskUsage();
    if (flags.verbose) cli.out(details(usage, Date.now()));
    else
      cli.out(
        await renderListing({
          rows: summary(usage),
          fields: {
            Active: { header: 'ACTIVE', value: (row) => String(row.active) },
            Reclaimable: { header: 'RECLAIMABLE', value: reclaimable },
            Size: { header: 'SIZE', value: (row) => size(row.size) },
            TotalCount: { header: 'TOTAL', value: (row) => String(row.total) },
            Type: { header: 'TYPE', value: (row) => row.type },
          },
          type: ({ type }) =>
            `*formatter.diskUsage${type.replace('Local ', '').replace('Build Cache', 'Builder')}Context`,
          columns: ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'],
          format: flags.format,
          terminal: cli.isTty(1),
        }),
      );
    return 0;
  },
});

interface Row {
  type: string;
  total: number;
  active: number;
  size: number;
  free: number;
}

const size = (bytes: number) => humanSize(bytes, 4);
const sumOf = (sizes: number[]) => sizes.reduce((total, bytes) => total + bytes, 0);

function reclaimable({ size: all, free }: Row): string {
  return all > 0 ? `${size(free)} (${Math.floor((free * 100) / all)}%)` : size(free);
}

function summary({ images, containers, volumes, layersSize, layersReclaimable }: DiskUsage): Row[] {
  const live = ['running', 'paused', 'restarting'];
  const idle = containers.filter(({ state }) => !live.includes(state));
  const unused = volumes.filter(({ links }) => links === 0);
  const row = (type: string, total: number, active: number, all: number, free: number) => ({
    type,
    total,
    active,
    size: all,
    free,
  });
  const used = images.filter(({ containers: users }) => users > 0).length;
  const written = (list: typeof containers) => sumOf(list.map(({ sizeRw }) => sizeRw ?? 0));
  const kept = (list: typeof volumes) => sumOf(list.map((volume) => volume.size));
  return [
    row('Images', images.length, used, layersSize, layersReclaimable),
    row('Containers', containers.length, containers.length - idle.length, written(containers), written(idle)),
    row('Local Volumes', volumes.length, volumes.length - unused.length, kept(volumes), kept(unused)),
    row('Build Cache', 0, 0, 0, 0),
  ];
}

function details({ images, containers, volumes }: DiskUsage, now: number): string {
  const imageRows = images.flatMap((image) => {
    const { sharedSize, uniqueSize } = image;
    const names = image.repoTags.length > 0 ? image.repoTags : ['<none>:<none>'];
    return names.map((name) => [
      name.slice(0, name.lastIndexOf(':')),
      name.slice(name.lastIndexOf(':') + 1),
      image.id.slice(7, 19),
      humanAge(image.created, now),
      ...[image.size, sharedSize, uniqueSize].map(size),
      String(image.containers),
    ]);
  });
  const containerRows = containers.map((container) => [
    container.id.slice(0, 12),
    container.image,
    `"${container.command.length > 20 ? `${container.command.slice(0, 19)}…` : container.command}"`,
    String(container.mounts.filter((name) => volumes.some((volume) => volume.name === name)).length),
    size(container.sizeRw ?? 0),
    humanAge(container.created, now),
    container.status,
    container.names.join(','),
  ]);
  const volumeRows = volumes.map((volume) => [volume.name, String(volume.links), size(volume.size)]);
  return [
    'Images space usage:\n\n',
    renderTable([
      ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE', 'SHARED SIZE', 'UNIQUE SIZE', 'CONTAINERS'],
      ...imageRows,
    ]),
    '\nContainers space usage:\n\n',
    renderTable([
      ['CONTAINER ID', 'IMAGE', 'COMMAND', 'LOCAL VOLUMES', 'SIZE', 'CREATED', 'STATUS', 'NAMES'],
      ...containerRows,
    ]),
    '\nLocal Volumes space usage:\n\n',
    renderTable([['VOLUME NAME', 'LINKS', 'SIZE'], ...volumeRows]),
    '\nBuild cache usage: 0B\n\n',
    renderTable([['CACHE ID', 'CACHE TYPE', 'SIZE', 'CREATED', 'LAST USED', 'USAGE', 'SHARED']]),
  ].join('');
}
