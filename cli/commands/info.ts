import type { EngineInfo, VersionInfo } from '../../src/types/engine.js';
import { defineCommand } from '../command.js';
import { escapeControls } from '../render/escape.js';
import { binarySize } from '../render/units.js';
import { printDocument } from './document.js';

export const command = defineCommand({
  usage: '[OPTIONS]',
  flags: [{ name: 'format', short: 'f', kind: 'string', help: "'json' or a Go template" }],
  min: 0,
  max: 0,
  async run(cli, flags) {
    const engine = await cli.engine();
    const info = await engine.info();
    if (flags.format)
      printDocument(cli, flags.format, infoDocument(info), { type: 'system.dockerInfo', name: '' });
    else {
      cli.out(infoText(info, engine.version()));
      for (const warning of info.warnings) cli.err(`WARNING: ${escapeControls(warning)}\n`);
    }
    return 0;
  },
});

/** Names as the Engine API has them. */
function infoDocument(info: EngineInfo) {
  return {
    Containers: info.containers,
    ContainersRunning: info.containersRunning,
    ContainersPaused: info.containersPaused,
    ContainersStopped: info.containersStopped,
    Images: info.images,
    Driver: info.storageDriver,
    DriverStatus: [['Backing Filesystem', info.backingFilesystem]],
    DockerRootDir: info.root,
    CgroupDriver: 'cgroupfs',
    // The API knows two words; controllers of a hybrid machine are those of version 1.
    CgroupVersion: info.cgroupVersion === '2' ? '2' : '1',
    CgroupControllers: info.cgroupControllers,
    KernelVersion: info.kernelVersion,
    OperatingSystem: info.operatingSystem,
    OSType: info.osType,
    Architecture: info.architecture,
    NCPU: info.ncpu,
    MemTotal: info.memTotal,
    Name: info.name,
    ServerVersion: info.serverVersion,
    SecurityOptions: info.securityOptions,
    Warnings: info.warnings,
  };
}

function infoText(info: EngineInfo, version: VersionInfo): string {
  const rows: (readonly [indent: number, text: string])[] = [
    [0, 'Client: tsrun'],
    [1, `Version: ${version.version}`],
    [1, `Node Version: ${version.nodeVersion}`],
    [0, ''],
    [0, 'Server:'],
    [1, `Containers: ${info.containers}`],
    [2, `Running: ${info.containersRunning}`],
    [2, `Paused: ${info.containersPaused}`],
    [2, `Stopped: ${info.containersStopped}`],
    [1, `Images: ${info.images}`],
    [1, `Server Version: ${info.serverVersion}`],
    [1, `Storage Driver: ${info.storageDriver}`],
    [2, `Backing Filesystem: ${info.backingFilesystem}`],
    [1, 'Cgroup Driver: cgroupfs'],
    [1, `Cgroup Version: ${info.cgroupVersion === 'hybrid' ? '1 (hybrid)' : info.cgroupVersion}`],
    [1, `Cgroup Controllers: ${info.cgroupControllers.join(' ')}`],
    [1, 'Security Options:'],
    ...info.securityOptions.map((option) => [2, option.replace(/^name=/, '')] as const),
    [1, `Kernel Version: ${info.kernelVersion}`],
    [1, `Operating System: ${info.operatingSystem}`],
    [1, `OSType: ${info.osType}`],
    [1, `Architecture: ${info.architecture}`],
    [1, `CPUs: ${info.ncpu}`],
    [1, `Total Memory: ${binarySize(info.memTotal)}`],
    [1, `Name: ${info.name}`],
    [1, `Root Dir: ${info.root}`],
  ];
  return rows.map(([indent, text]) => `${' '.repeat(indent)}${escapeControls(text)}\n`).join('');
}
