/** `--privileged`, `--cap-add`, `--cap-drop`, `--security-opt`. */
import { CAPABILITIES } from '../types/capability-names.js';
import type { SecurityOptions } from '../types/run-options.js';
import { parseBool } from './bool.js';
import type { ReadFile } from './read-file.js';
import { parseSeccompProfile, type SeccompProfile } from './seccomp-profile.js';
import { flagError, usage } from './usage.js';

export interface Security {
  privileged: boolean;
  /** "ALL", or full names: CAP_NET_ADMIN. */
  capAdd: string[];
  capDrop: string[];
  noNewPrivileges: boolean;
  /** undefined = the default filter, unless privileged. */
  seccomp?: 'unconfined' | 'builtin' | SeccompProfile;
  /** Nothing below /proc and /sys is masked or read-only. */
  systemPathsUnconfined: boolean;
  /** For inspect; a profile stands as its text. */
  options: string[];
}

/** @param readFile throws an error whose message says what was tried and why it failed. */
export function parseSecurity(options: SecurityOptions, readFile: ReadFile): Security {
  const security: Security = {
    privileged: options.privileged ?? false,
    capAdd: parseCapabilities(options.capAdd ?? [], 'CapAdd'),
    capDrop: parseCapabilities(options.capDrop ?? [], 'CapDrop'),
    noNewPrivileges: false,
    systemPathsUnconfined: false,
    options: [],
  };
  for (const text of options.securityOpt ?? []) setOption(security, text, readFile);
  return security;
}

const ALL = 'ALL';

/** One name each, in any case, with or without CAP_. ALL makes the others superfluous. */
function parseCapabilities(texts: readonly string[], field: string): string[] {
  const names = texts.map((text) => {
    const upper = text.trim().toUpperCase();
    if (upper === ALL) return ALL;
    const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
    if (CAPABILITIES.includes(name)) return name;
    throw usage(`invalid ${field}: unknown capability: "${name}"`, text);
  });
  return names.includes(ALL) ? [ALL] : [...new Set(names)];
}

function setOption(security: Security, text: string, readFile: ReadFile): void {
  const separator = /[=:]/.exec(text);
  const at = separator?.index ?? text.length;
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  if (name !== 'no-new-privileges' && value === '')
    throw flagError(`Invalid --security-opt: "${text}"`, text);
  const invalid = () => usage(`invalid --security-opt 2: "${text}"`, text);
  if (name === 'systempaths') {
    if (value !== 'unconfined') throw invalid();
    // Not among the options that inspect shows: MaskedPaths and ReadonlyPaths say it.
    security.systemPathsUnconfined = true;
    return;
  }
  security.options.push(text);
  switch (name) {
    case 'no-new-privileges': {
      const on = separator === null ? true : parseBool(value);
      if (on === undefined) throw invalid();
      security.noNewPrivileges = on;
      return;
    }
    case 'seccomp':
      setSeccomp(security, value, readFile);
      return;
    case 'label':
    case 'apparmor':
      if (value === 'disable' || value === 'unconfined') return;
      // Going on without a protection that was asked for by name is no option.
      throw usage(`--security-opt ${text} is not supported`, text, 'no SELinux or AppArmor confinement yet');
    default:
      throw invalid();
  }
}

function setSeccomp(security: Security, value: string, readFile: ReadFile): void {
  if (value === 'unconfined' || value === 'builtin') {
    security.seccomp = value;
    return;
  }
  const profile = parseSeccompProfile(new TextDecoder().decode(profileBytes(value, readFile)), value);
  security.seccomp = profile;
  security.options.pop();
  security.options.push(`seccomp=${profile.text}`);
}

function profileBytes(path: string, readFile: ReadFile): Uint8Array {
  try {
    return readFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw flagError(`opening seccomp profile (${path}) failed: ${reason}`, path);
  }
}
