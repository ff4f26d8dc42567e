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
    const image: Find = (name) => engine.inspectImage(name);
    const volume: Find = (name) => engine.volumes.inspect(name);
    const finds: Record<string, Find> = {
      container,
      image,
      volume,
      '': (name) => firstOf(name, [container, image, volume]),
    };
    const find = finds[flags.type ?? ''];
    if (find === undefined) throw new UsageError(`tsrun: unknown type: "${flags.type}"`, 1, { usage: false });
    return inspectObjects(cli, names, flags.format, find);
  },
});
