import { probeInfo } from '../host/info.js';
import { probeHost } from '../host/probe.js';
import { packageVersion } from '../native/load.js';
import { readImages } from '../store/images.js';
import type { EngineInfo, VersionInfo } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { viewAll } from './view.js';

/** The version of Docker's Engine API whose names and shapes ours follow. */
const API_VERSION = '1.44';

export function engineInfo(ctx: EngineContext): EngineInfo {
  const facts = probeHost();
  const { root } = ctx.paths;
  const states = viewAll(ctx).map(({ state }) => state);
  const running = states.filter((state) => state === 'running' || state === 'restarting').length;
  const paused = states.filter((state) => state === 'paused').length;
  return {
    containers: states.length,
    containersRunning: running,
    containersPaused: paused,
    containersStopped: states.length - running - paused,
    images: readImages(ctx.paths).length,
    root,
    storageDriver: 'overlay2',
    cgroupVersion: facts.cgroup.mode,
    cgroupControllers: facts.cgroup.controllers,
    kernelVersion: facts.kernel.release,
    osType: 'linux',
    architecture: MACHINE[facts.arch] ?? facts.arch,
    name: facts.hostname,
    serverVersion: packageVersion(),
    ...probeInfo(facts, root),
  };
}

/** `uname -m` for what images call it. */
const MACHINE: Record<string, string> = { amd64: 'x86_64', arm64: 'aarch64' };

export function versionInfo(): VersionInfo {
  const facts = probeHost();
  return {
    version: packageVersion(),
    apiVersion: API_VERSION,
    nodeVersion: process.version,
    os: 'linux',
    arch: facts.arch,
    kernelVersion: facts.kernel.release,
  };
}
