import { defineCommand } from '../command.js';
import { UsageError } from '../usage.js';
import { type Find, firstOf, inspectObjects } from './inspect-objects.js';

export const command = defineCommand({
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  flags: [
    { name: 'format', short: 'f', kind: 'string', help: "'json' or a Go template" },
    { name: 'size', short: 's', kind: 'bool', help: 'Display total file sizes if it is a container' },
    { name: 'type', kind: 'string', help: 'Only inspect objects of this type: container, image or volume' },
  ],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  examples: [
    ["tsrun inspect -f '{{.State.Pid}}' web", 'One value'],
    ["tsrun inspect -f '{{json .Config.Env}}' redis", 'A part as JSON'],
  ],
  async run(cli, flags, names) {
    const engine = await cli.engine();
    const container: Find = (name) => engine.inspectContainer(name, { size: flags.size });
    const sizeless =
      (kind: string, find: Find): Find =>
      async (name) => {
        const object = await find(name);
        if (flags.size) cli.err(`WARNING: --size ignored for ${kind}\n`);
        return object;
      };
    const image = sizeless('image', (name) => engine.inspectImage(name));
    const volume = sizeless('volume', (name) => engine.volumes.inspect(name));
    const finds: Record<string, Find> = { container, image, volume };
    const any: Find = (name) => firstOf(name, [container, image, volume]);
    const find = flags.type === undefined ? any : finds[flags.type];
    if (find !== undefined) return inspectObjects(cli, names, flags.format, find);
    const known = Object.keys(finds).map((kind) => JSON.stringify(kind));
    const what = flags.type === '' ? 'type is empty' : `unknown type: ${JSON.stringify(flags.type)}`;
    throw new UsageError(`tsrun: ${what}: must be one of ${known.join(', ')}`, 1, { usage: false });
  },
});
