/** `--platform os[/arch[/variant]]` and the machine's own platform, under the names that image indexes use. */
import { TsrunError } from '../errors.js';
import type { Platform } from '../types/oci.js';

const ARCHITECTURES: Record<string, { architecture: string; variant?: string }> = {
  aarch64: { architecture: 'arm64' },
  arm64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
  arm: { architecture: 'arm', variant: 'v7' },
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  x64: { architecture: 'amd64' },
  amd64: { architecture: 'amd64' },
  i386: { architecture: '386' },
  ia32: { architecture: '386' },
  386: { architecture: '386' },
};

const MORE_ARCHITECTURES =
  'ppc64 ppc64le mips mipsle mips64 mips64le riscv64 s390x loong64 sparc64 wasm'.split(' ');
const SYSTEMS =
  'linux windows darwin freebsd netbsd openbsd dragonfly solaris illumos aix android ios js plan9 wasip1'.split(
    ' ',
  );

/** @param machine process.arch */
export function hostPlatform(machine: string): Platform {
  return normalized('linux', machine);
}

/** @throws TsrunError USAGE */
export function parsePlatform(text: string, machine: string): Platform {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part)))
    throw new TsrunError('USAGE', `"${text}" is an invalid platform: use os/arch[/variant]`, {
      step: 'image.platform',
      subject: text,
    });
  const [first = '', architecture, variant] = parts;
  if (architecture !== undefined) return normalized(first, architecture, variant);
  if (ARCHITECTURES[first] !== undefined || MORE_ARCHITECTURES.includes(first))
    return normalized('linux', first);
  if (SYSTEMS.includes(first)) return normalized(first, machine);
  throw new TsrunError('USAGE', `"${text}": unknown operating system or architecture: invalid argument`, {
    step: 'image.platform',
    subject: text,
  });
}

/** The variant does not count: a machine of a later one runs what was made for an earlier one. */
export function isOfPlatform(actual: Platform, wanted: Platform): boolean {
  return actual.os === wanted.os && actual.architecture === wanted.architecture;
}

/** @throws TsrunError NOT_FOUND in Docker's words */
export function requirePlatform(actual: Platform, wanted: Platform, subject: string): void {
  if (isOfPlatform(actual, wanted)) return;
  throw new TsrunError(
    'NOT_FOUND',
    `image with reference ${subject} was found but does not match the specified platform: ` +
      `wanted ${platformText(wanted)}, actual: ${platformText(actual)}`,
    { step: 'image.platform', subject },
  );
}

function normalized(os: string, machine: string, variant?: string): Platform {
  const known = ARCHITECTURES[machine] ?? { architecture: machine };
  const chosen = variant ?? known.variant;
  const implied = known.architecture === 'arm64' && chosen === 'v8';
  return {
    os,
    architecture: known.architecture,
    ...(chosen === undefined || implied ? {} : { variant: chosen }),
  };
}

/** "linux/arm64/v8": how Docker writes it in messages. */
export function platformText({ os, architecture, variant }: Platform): string {
  const shown = variant ?? (architecture === 'arm64' ? 'v8' : undefined);
  return [os, architecture, ...(shown === undefined ? [] : [shown])].join('/');
}
