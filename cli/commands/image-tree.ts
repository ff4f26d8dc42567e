import type { ImageTree } from '../../src/types/engine.js';
import { defineCommand } from '../command.js';
import { escapeControls } from '../render/escape.js';
import { humanSize } from '../render/units.js';

export const command = defineCommand({
  usage: 'IMAGE',
  flags: [],
  min: 1,
  max: 1,
  examples: [['tsrun image tree test/ubuntu-vim', 'Its layers, the bottom one first']],
  async run(cli, _flags, [image = '']) {
    cli.out(treeText(await (await cli.engine()).imageTree(image)));
    return 0;
  },
});

export function treeText({ id, tags, size, layers }: ImageTree): string {
  const short = (digest: string) => digest.slice(7, 19);
  const sizes = layers.map((layer) => humanSize(layer.size, 4));
  const width = Math.max(0, ...sizes.map((text) => text.length));
  const rows = layers.map(({ diffId, topOf }, i) => {
    const branch = i === layers.length - 1 ? '└──' : '├──';
    const top = topOf.length > 0 ? ` Top Layer of: [${topOf.join(' ')}]` : '';
    return `${branch} ID: ${short(diffId)} Size: ${sizes[i]?.padStart(width)}${top}`;
  });
  const head = [
    `Image ID: ${short(id)}`,
    `Tags:     [${tags.join(' ')}]`,
    `Size:     ${humanSize(size, 4)}`,
    layers.length > 0 ? 'Image Layers' : 'No Image Layers',
  ];
  return [...head, ...rows].map((line) => `${escapeControls(line)}\n`).join('');
}
