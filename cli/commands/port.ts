import { TsrunError } from '../../src/errors.js';
import { defineCommand } from '../command.js';

export const command = defineCommand({
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  flags: [],
  min: 1,
  max: 2,
  async run(cli, _flags, [container = '', wanted]) {
    const { NetworkSettings } = await (await cli.engine()).inspectContainer(container);
    const bindings = Object.entries(NetworkSettings.Ports).flatMap(([port, list]) =>
      (list ?? []).map(({ HostIp, HostPort }) => ({ port, host: `${hostOf(HostIp)}:${HostPort}` })),
    );
    if (wanted === undefined) {
      cli.out(bindings.map(({ port, host }) => `${port} -> ${host}\n`).join(''));
      return 0;
    }
    const [number = '', protocol = 'tcp'] = wanted.split('/');
    if (!/^\d+$/.test(number))
      throw new TsrunError(
        'USAGE',
        `invalid port (${number}): strconv.ParseUint: parsing ${JSON.stringify(number)}: invalid syntax`,
      );
    const found = bindings.filter(({ port }) => port === `${number}/${protocol}`);
    if (found.length === 0)
      throw new TsrunError('NOT_FOUND', `No public port '${wanted}' published for ${container}`, {
        subject: container,
      });
    cli.out(found.map(({ host }) => `${host}\n`).join(''));
    return 0;
  },
});

function hostOf(ip: string): string {
  return ip.includes(':') ? `[${ip}]` : ip || '0.0.0.0';
}
