import type { VersionInfo } from '../../src/types/engine.js';
import { defineCommand } from '../command.js';
import { printDocument } from './document.js';

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [{ name: 'format', short: 'f', kind: 'string', help: "'json' or a Go template" }],
  min: 0,
  max: 0,
  examples: [["tsrun version -f '{{.Server.Version}}'", 'Only the number']],
  async run(cli, flags) {
    const document = versionDocument((await cli.engine()).version());
    if (flags.format)
      printDocument(cli, flags.format, document, { type: 'system.versionInfo', name: 'version' });
    else cli.out(versionText(document));
    return 0;
  },
});

interface Part {
  Version: string;
  ApiVersion: string;
  GitCommit: string;
  Os: string;
  Arch: string;
}

interface VersionDocument {
  Client: Part & { NodeVersion: string };
  Server: Part & { KernelVersion: string };
}

/** Client and server are one program here; scripts ask for either. */
function versionDocument(version: VersionInfo): VersionDocument {
  const part: Part = {
    Version: version.version,
    ApiVersion: version.apiVersion,
    GitCommit: version.gitCommit ?? '',
    Os: version.os,
    Arch: version.arch,
  };
  return {
    Client: { ...part, NodeVersion: version.nodeVersion },
    Server: { ...part, KernelVersion: version.kernelVersion },
  };
}

function versionText({ Client, Server }: VersionDocument): string {
  const line = (indent: string, name: string, value: string) => `${indent}${`${name}:`.padEnd(19)}${value}\n`;
  const commit = (indent: string) => (Client.GitCommit ? line(indent, 'Git commit', Client.GitCommit) : '');
  const platform = `${Client.Os}/${Client.Arch}`;
  return [
    'Client: tsrun\n',
    line(' ', 'Version', Client.Version),
    line(' ', 'API version', Client.ApiVersion),
    line(' ', 'Node version', Client.NodeVersion),
    commit(' '),
    line(' ', 'OS/Arch', platform),
    '\nServer: tsrun (in this process, there is no daemon)\n',
    ' Engine:\n',
    line('  ', 'Version', Server.Version),
    line('  ', 'API version', Server.ApiVersion),
    line('  ', 'OS/Arch', platform),
    line('  ', 'Kernel version', Server.KernelVersion),
  ].join('');
}
