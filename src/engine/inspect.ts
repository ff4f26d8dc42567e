/** `GET /containers/{id}/json` of the Engine API, its names and its empties. */
import type { HealthRecord } from '../native/launch.js';
import type { ContainerInspect, EndpointSettings } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { resolveContainer } from './resolve.js';
import { treeSize } from './size.js';
import { endedCode, failureText } from './start-failure.js';
import { type ContainerView, viewContainer } from './view.js';

/** What Docker gives for a time that never was. */
const NEVER = '0001-01-01T00:00:00Z';

export function inspectContainer(
  ctx: EngineContext,
  text: string,
  options: { size?: boolean } = {},
): ContainerInspect {
  const view = viewContainer(ctx, resolveContainer(ctx.paths, text));
  const { record } = view;
  const at = ctx.paths.container(record.id);
  const sizeRw = options.size === true ? treeSize(at.upper) : undefined;
  return {
    Id: record.id,
    Created: record.created,
    Path: record.path,
    Args: record.args,
    State: stateOf(view),
    Image: record.image.id,
    ResolvConfPath: at.resolvConf,
    HostnamePath: at.hostname,
    HostsPath: at.hosts,
    LogPath: at.log,
    Name: `/${record.name}`,
    RestartCount: (view.live ?? view.exit)?.restartCount ?? 0,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: record.hostConfig,
    GraphDriver: {
      Data: {
        LowerDir: [ctx.paths.initLayer, ...record.layers.map((key) => ctx.paths.layer(key)).reverse()].join(
          ':',
        ),
        UpperDir: at.upper,
        WorkDir: at.work,
      },
      Name: 'overlay2',
    },
    SizeRw: sizeRw,
    SizeRootFs: sizeRw === undefined ? undefined : sizeRw + record.imageSize,
    Mounts: record.mounts,
    Config: record.config,
    NetworkSettings: networkOf(view),
  };
}

function stateOf({ state, live, exit, health }: ContainerView): ContainerInspect['State'] {
  const running = live !== undefined;
  const ended = !running || state === 'restarting';
  return {
    Status: state,
    Running: running,
    Paused: state === 'paused',
    Restarting: state === 'restarting',
    OOMKilled: ended && exit?.oomKilled === true,
    Dead: state === 'dead',
    Pid: live?.pid ?? 0,
    ExitCode: ended ? endedCode(exit) : 0,
    Error: running || exit?.error === undefined ? '' : failureText(exit.error),
    StartedAt: live?.startedAt ?? exit?.startedAt ?? NEVER,
    FinishedAt: exit?.startedAt === undefined ? NEVER : exit.finishedAt,
    Health: health && healthOf(health),
  };
}

function healthOf({ status, failingStreak, log }: HealthRecord): ContainerInspect['State']['Health'] {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map(({ start, end, exitCode, output }) => ({
      Start: start,
      End: end,
      ExitCode: exitCode,
      Output: output,
    })),
  };
}

function networkOf({ record, live }: ContainerView): ContainerInspect['NetworkSettings'] {
  const exposed = Object.keys(record.config.ExposedPorts ?? {});
  const endpoint: EndpointSettings = {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    MacAddress: live?.network?.mac ?? '',
    DriverOpts: null,
    NetworkID: record.network,
    EndpointID: '',
    Gateway: live?.network?.gateway ?? '',
    IPAddress: live?.network?.ip ?? '',
    IPPrefixLen: live?.network?.prefixLen ?? 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  };
  const { EndpointID, Gateway, IPAddress, IPPrefixLen, MacAddress } = endpoint;
  return {
    Bridge: '',
    SandboxID: '',
    SandboxKey: live === undefined ? '' : `/proc/${live.pid}/ns/net`,
    Ports: record.network === 'bridge' && live ? Object.fromEntries(exposed.map((port) => [port, null])) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID,
    Gateway,
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress,
    IPPrefixLen,
    IPv6Gateway: '',
    MacAddress,
    Networks: { [record.network]: endpoint },
  };
}
