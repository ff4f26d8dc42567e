/** `update`: what a container is to have, from what it has and what is asked for. Pure. */
import { TsrunError } from '../errors.js';
import type { HostFacts } from '../host/facts.js';
import type { Limits } from '../intent/limits.js';
import type { RestartPolicy } from '../intent/restart.js';
import type { LaunchSpec } from '../native/launch.js';
import type { RuntimeSpec, SpecResources } from '../types/oci.js';
import { apiOf, checkLimits, checkSwap, limitsOf, planWeight, resourcesOf } from './limits.js';

export interface UpdateIntent {
  limits: Limits;
  restart?: RestartPolicy;
}

export interface UpdateInput {
  intent: UpdateIntent;
  id: string;
  hostConfig: Readonly<Record<string, unknown>>;
  autoRemove: boolean;
  facts: HostFacts;
}

export interface UpdatePlan {
  hostConfig: Record<string, unknown>;
  /** Limits, without the devices. */
  resources: SpecResources;
  restart: NonNullable<LaunchSpec['restart']>;
  warnings: string[];
}

/** @throws TsrunError USAGE, CONFLICT or HOST in Docker's words */
export function planUpdate({ intent, id, hostConfig, autoRemove, facts }: UpdateInput): UpdatePlan {
  const { restart } = intent;
  const warnings: string[] = [];
  checkLimits(intent.limits, facts);
  checkSwap(intent.limits, facts);
  const given = { ...intent.limits, blkioWeight: planWeight(intent.limits, facts, warnings) };
  const current = limitsOf(hostConfig);
  const problem = conflictOf(given, current, facts) ?? (autoRemove ? restartConflict(restart) : undefined);
  if (problem !== undefined)
    throw new TsrunError('CONFLICT', `Cannot update container ${id}: ${problem}`, {
      step: 'update',
      subject: id,
    });
  const limits = merged(current, given);
  const changed = {
    ...hostConfig,
    ...apiOf(limits),
    ...(restart ? { RestartPolicy: { Name: restart.name, MaximumRetryCount: restart.maxRetries } } : {}),
  };
  const resources = resourcesOf(limits);
  return {
    hostConfig: changed,
    // That there is no limit any more must be said to a cgroup that has one.
    resources: limits.pids === -1 ? { ...resources, pids: { limit: -1 } } : resources,
    restart: restartOf(changed),
    warnings,
  };
}

/** What launch.json says of a RestartPolicy of HostConfig. */
export function restartOf({
  RestartPolicy: policy,
}: Readonly<Record<string, unknown>>): UpdatePlan['restart'] {
  const none = { policy: 'no', maxRetries: 0 } as const;
  if (typeof policy !== 'object' || policy === null || !('Name' in policy)) return none;
  const name = NAMES.find((known) => known === policy.Name);
  const retries = 'MaximumRetryCount' in policy ? Number(policy.MaximumRetryCount) : 0;
  return name === undefined ? none : { policy: name, maxRetries: retries };
}

const NAMES = ['no', 'on-failure', 'always', 'unless-stopped'] as const;

/** config.json with other limits; its devices stay. */
export function withResources(spec: RuntimeSpec, resources: SpecResources | undefined): RuntimeSpec {
  const { devices, unified } = spec.linux.resources ?? {};
  const kept = { ...(devices ? { devices } : {}), ...(unified ? { unified } : {}) };
  return { ...spec, linux: { ...spec.linux, resources: { ...kept, ...resources } } };
}

function merged(current: Limits, given: Limits): Limits {
  const asked = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...current, ...Object.fromEntries(asked) };
}

function conflictOf(given: Limits, current: Limits, { cgroup }: HostFacts): string | undefined {
  const { nanoCpus, cpuPeriod, cpuQuota, memory, memorySwap } = given;
  if (nanoCpus !== undefined && current.cpuPeriod !== undefined) return cpus('Nano CPUs', 'CPU Period');
  if (nanoCpus !== undefined && current.cpuQuota !== undefined) return cpus('Nano CPUs', 'CPU Quota');
  if (cpuPeriod !== undefined && current.nanoCpus !== undefined) return cpus('CPU Period', 'NanoCPUs');
  if (cpuQuota !== undefined && current.nanoCpus !== undefined) return cpus('CPU Quota', 'NanoCPUs');
  // Docker means it also for a container that has no limit, or unlimited swap.
  if (memory !== undefined && memorySwap === undefined && cgroup.swapLimit) {
    if (memory > (current.memorySwap ?? 0))
      return 'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time';
  }
  if (memorySwap !== undefined && memorySwap > 0 && memorySwap < (memory ?? current.memory ?? 0))
    return 'Minimum memoryswap limit should be larger than memory limit, see usage';
  return undefined;
}

function cpus(what: string, other: string): string {
  return `Conflicting options: ${what} cannot be updated as ${other} has already been set`;
}

function restartConflict(restart: RestartPolicy | undefined): string | undefined {
  if (restart === undefined || restart.name === 'no') return undefined;
  return 'Restart policy cannot be updated because AutoRemove is enabled for the container';
}
