/** A machine, an image and a store that are always the same, for tests of the plan. */

import { CAPABILITIES } from '../../src/host/capabilities.js';
import type { HostFacts } from '../../src/host/facts.js';
import { parseRun } from '../../src/intent/run.js';
import type { PlanInput } from '../../src/plan/input.js';
import type { RunOptions } from '../../src/types/engine.js';
import { parseContainerId } from '../../src/types/ids.js';
import type { ImageRunConfig } from '../../src/types/oci.js';

export const someHost: HostFacts = {
  kernel: { major: 6, minor: 1, release: '6.1.0-20-amd64' },
  arch: 'amd64',
  hostname: 'metal',
  isRoot: true,
  cgroup: { mode: '2', controllers: ['cpu', 'io', 'memory', 'pids'], swapLimit: true, blkioWeight: true },
  capabilities: [...CAPABILITIES],
  hardLimits: { nofile: 20000 },
  cpus: { count: 4, online: '0-3' },
  memoryNodes: '0',
  oomScoreAdj: 0,
  thermalThrottlePaths: ['/sys/devices/system/cpu/cpu0/thermal_throttle'],
  resolvConf: 'nameserver 10.0.0.53\n',
  hosts: '127.0.0.1 localhost metal\n',
  hasNft: true,
};

export function planInput(
  options: Partial<RunOptions>,
  image: ImageRunConfig = { Cmd: ['sh'] },
  facts: Partial<HostFacts> = {},
  lookups: Partial<Pick<PlanInput, 'peers' | 'devices'>> = {},
): PlanInput {
  const dir = '/store/containers/c';
  let made = 0;
  return {
    intent: parseRun({ image: 'busybox', ...options }, { env: {}, cwd: '/w' }),
    image,
    facts: { ...someHost, ...facts },
    id: parseContainerId('0123456789ab'.padEnd(64, 'f')),
    storeTag: '1a2b3c',
    rootfs: { layers: ['/store/layers/base', '/store/layers/top'], initLayer: '/store/layers/init-v1' },
    files: {
      upper: `${dir}/upper`,
      work: `${dir}/work`,
      hosts: `${dir}/hosts`,
      hostname: `${dir}/hostname`,
      resolvConf: `${dir}/resolv.conf`,
    },
    nameFile: '/store/names/happy_euler',
    volumes: {
      path: (name) => `/store/volumes/${name}/_data`,
      options: () => undefined,
      newName: () => {
        made += 1;
        return `anonymous${made}`;
      },
    },
    peers: { find: () => nobodyAsks('peer') },
    devices: { find: () => nobodyAsks('device') },
    ...lookups,
  };
}

function nobodyAsks(what: string): never {
  throw new Error(`this test has no ${what}`);
}
