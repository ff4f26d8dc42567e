/** `--device HOST[:CONTAINER[:PERMISSIONS]]` and `--device-cgroup-rule`. */
import { posix } from 'node:path';
import type { SpecDeviceRule } from '../types/oci.js';
import { badFlag, flagError, usage } from './usage.js';

/** `PathOnHost`, `PathInContainer` and `CgroupPermissions` of the Engine API. */
export interface DeviceIntent {
  /** absolute */
  host: string;
  container: string;
  /** Some of r, w and m. */
  permissions: string;
}

const ALL = 'rwm';
const PERMISSIONS = /^(?!.*(.).*\1)[rwm]{1,3}$/;
const CDI_NAME = /^[a-zA-Z0-9][\w.-]*\/[a-zA-Z][\w-]*=[\w.:-]+$/;

export function parseDevice(text: string): DeviceIntent {
  if (CDI_NAME.test(text)) {
    throw usage(`could not select device driver "cdi" with capabilities: [[${text}]]`, text);
  }
  const parts = text.split(':');
  const [host = '', second, third] = parts;
  if (text === '' || parts.length > 3) throw flagError(`bad format for path: ${text}`, text);
  if (third !== undefined && !PERMISSIONS.test(third)) throw flagError(`bad mode specified: ${third}`, text);
  const hasShortMode = third === undefined && second !== undefined && PERMISSIONS.test(second);
  const container = second === undefined || hasShortMode ? host : second;
  for (const path of [host, container]) {
    if (!path.startsWith('/')) throw flagError(`${path} is not an absolute path`, text);
  }
  return {
    host: posix.resolve(host),
    container: posix.resolve(container),
    permissions: (hasShortMode ? second : third) ?? ALL,
  };
}

export interface DeviceRule {
  /** As typed, for inspect. */
  text: string;
  rule: SpecDeviceRule;
}

export function parseDeviceRule(text: string): DeviceRule {
  const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
  if (!match) throw badFlag('--device-cgroup-rule', text, `invalid device cgroup format '${text}'`);
  const [, type, major = '*', minor = '*', access] = match;
  return {
    text,
    rule: {
      allow: true,
      type: type === 'c' || type === 'b' ? type : 'a',
      ...(major === '*' ? {} : { major: Number(major) }),
      ...(minor === '*' ? {} : { minor: Number(minor) }),
      access,
    },
  };
}
