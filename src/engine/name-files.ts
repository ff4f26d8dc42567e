/** hosts and resolv.conf follow the host from start to start, until somebody in the container changes them. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { errnoOf } from '../errors.js';
import { probeNames } from '../host/names.js';
import { parseExtraHost } from '../intent/resolver.js';
import { type Names, planNameFiles } from '../plan/name-files.js';
import type { ContainerRecord } from '../store/containers.js';
import type { EngineContext } from './context.js';

/** sha256 of a name file as we wrote it: when the file has another one, it is the container's own by now. */
export function contentMark(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Brings the files up to date before a start. The helper adds the container's own address to `hosts` afterwards. */
export function refreshNameFiles(ctx: EngineContext, record: ContainerRecord): void {
  const at = ctx.paths.container(record.id);
  const names = { network: record.network, hostname: record.config.Hostname, ...namesOf(record.hostConfig) };
  const files = planNameFiles(names, probeNames());
  writeFileSync(at.hosts, files.hosts);
  const marked = readIfThere(at.resolvConfMark);
  const current = readIfThere(at.resolvConf);
  if (current === files.resolvConf || (current !== undefined && contentMark(current) !== marked)) return;
  writeFileSync(at.resolvConf, files.resolvConf);
  writeFileSync(at.resolvConfMark, contentMark(files.resolvConf));
}

/** What the user asked for stands in HostConfig, as the texts of the flags. */
function namesOf(hostConfig: Record<string, unknown>): Pick<Names, 'extraHosts' | 'resolver'> {
  const { ExtraHosts, Dns, DnsSearch, DnsOptions } = hostConfig;
  return {
    extraHosts: texts(ExtraHosts).map(parseExtraHost),
    resolver: { servers: texts(Dns), search: texts(DnsSearch), options: texts(DnsOptions) },
  };
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
