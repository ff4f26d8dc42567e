/** A user's seccomp profile for this machine and this container: conditions are decided, nothing else is changed. */
import type { SeccompCondition, SeccompProfile } from '../intent/seccomp-profile.js';
import type { SpecSeccomp } from '../types/oci.js';
import type { SeccompFacts } from './seccomp.js';

/** Names of architectures in archMap. */
const ARCHITECTURES: Record<string, string> = {
  amd64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
  arm: 'SCMP_ARCH_ARM',
  '386': 'SCMP_ARCH_X86',
};

export function resolveSeccomp(profile: SeccompProfile, facts: SeccompFacts): SpecSeccomp {
  const rules = profile.rules.filter(
    ({ includes, excludes }) => holdsWhole(includes, facts) && !holdsPartly(excludes, facts),
  );
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: architecturesOf(profile, facts),
    ...(profile.flags.length > 0 ? { flags: profile.flags } : {}),
    syscalls: rules.map(({ names, action, errnoRet, args }) => ({
      names,
      action,
      ...(errnoRet === undefined ? {} : { errnoRet }),
      ...(args.length > 0 ? { args } : {}),
    })),
  };
}

function architecturesOf(profile: SeccompProfile, { arch }: SeccompFacts): string[] | undefined {
  if (profile.architectures?.length) return profile.architectures;
  const own = profile.archMap?.find(({ architecture }) => architecture === ARCHITECTURES[arch]);
  return own && [own.architecture, ...own.subArchitectures];
}

function holdsWhole({ caps, arches, minKernel }: SeccompCondition, facts: SeccompFacts): boolean {
  return (
    caps.every((name) => facts.capabilities.includes(name)) &&
    (arches.length === 0 || arches.includes(facts.arch)) &&
    (minKernel === undefined || isSince(minKernel, facts))
  );
}

function holdsPartly({ caps, arches, minKernel }: SeccompCondition, facts: SeccompFacts): boolean {
  return (
    caps.some((name) => facts.capabilities.includes(name)) ||
    arches.includes(facts.arch) ||
    (minKernel !== undefined && isSince(minKernel, facts))
  );
}

function isSince(version: string, { kernel }: SeccompFacts): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return kernel.major > major || (kernel.major === major && kernel.minor >= minor);
}
