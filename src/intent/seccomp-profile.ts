/** A seccomp profile in Docker's own format: the OCI one, with conditions on capabilities, architectures and kernels. */
import type { SpecSeccompArg } from '../types/oci.js';
import { flagError, usage } from './usage.js';

export interface SeccompCondition {
  caps: string[];
  arches: string[];
  /** "4.8" */
  minKernel?: string;
}

export interface SeccompProfileRule {
  names: string[];
  action: string;
  errnoRet?: number;
  args: SpecSeccompArg[];
  /** All of it must hold. */
  includes: SeccompCondition;
  /** Nothing of it may hold. */
  excludes: SeccompCondition;
}

export interface SeccompProfile {
  /** Compact JSON, as inspect shows it. */
  text: string;
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: string[];
  /** Each with those that its kernel runs, too. */
  archMap?: { architecture: string; subArchitectures: string[] }[];
  flags: string[];
  rules: SeccompProfileRule[];
}

type Json = Record<string, unknown>;

/** @param path for messages */
export function parseSeccompProfile(text: string, path: string): SeccompProfile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw flagError(`compacting json for seccomp profile (${path}) failed: ${reason}`, path);
  }
  try {
    return profileOf(value);
  } catch (error) {
    throw usage(`decoding seccomp profile failed: ${error instanceof Error ? error.message : error}`, path);
  }
}

const ACTION = /^SCMP_ACT_[A-Z_]+$/;

function profileOf(value: unknown): SeccompProfile {
  const profile = objectOf(value, 'the profile');
  const architectures = optional(profile.architectures, (list) => texts(list, 'architectures'));
  const archMap = optional(profile.archMap, (list) =>
    listOf(list, 'archMap').map((entry) => {
      const map = objectOf(entry, 'archMap');
      return {
        architecture: textOf(map.architecture, 'architecture'),
        subArchitectures: texts(map.subArchitectures ?? [], 'subArchitectures'),
      };
    }),
  );
  if (architectures?.length && archMap?.length) {
    throw new Error("both 'architectures' and 'archMap' are specified, use either");
  }
  return {
    text: JSON.stringify(profile),
    defaultAction: actionOf(profile.defaultAction),
    defaultErrnoRet: optional(profile.defaultErrnoRet, (n) => numberOf(n, 'defaultErrnoRet')),
    architectures,
    archMap,
    flags: texts(profile.flags ?? [], 'flags'),
    rules: listOf(profile.syscalls ?? [], 'syscalls').map(ruleOf),
  };
}

function ruleOf(value: unknown): SeccompProfileRule {
  const rule = objectOf(value, 'syscalls');
  const single = optional(rule.name, (name) => textOf(name, 'name')) || undefined;
  const names = texts(rule.names ?? [], 'names');
  if (single !== undefined && names.length > 0) throw new Error("use either 'name' or 'names'");
  return {
    names: single === undefined ? names : [single],
    action: actionOf(rule.action),
    errnoRet: optional(rule.errnoRet, (n) => numberOf(n, 'errnoRet')),
    args: listOf(rule.args ?? [], 'args').map(argOf),
    includes: conditionOf(rule.includes),
    excludes: conditionOf(rule.excludes),
  };
}

function argOf(value: unknown): SpecSeccompArg {
  const arg = objectOf(value, 'args');
  const valueTwo = optional(arg.valueTwo, (n) => numberOf(n, 'valueTwo'));
  return {
    index: numberOf(arg.index, 'index'),
    value: numberOf(arg.value ?? 0, 'value'),
    ...(valueTwo === undefined ? {} : { valueTwo }),
    op: textOf(arg.op, 'op'),
  };
}

function conditionOf(value: unknown): SeccompCondition {
  const condition = optional(value, (given) => objectOf(given, 'includes or excludes')) ?? {};
  return {
    caps: texts(condition.caps ?? [], 'caps'),
    arches: texts(condition.arches ?? [], 'arches'),
    minKernel: optional(condition.minKernel, (kernel) => textOf(kernel, 'minKernel')),
  };
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value);
}

function objectOf(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${what} is not an object`);
  }
  return value as Json;
}

function listOf(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw new Error(`${what} is not a list`);
  return value;
}

function texts(value: unknown, what: string): string[] {
  return listOf(value, what).map((item) => textOf(item, what));
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`${what} is not a string`);
  return value;
}

function numberOf(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw new Error(`${what} is not a whole number`);
  }
  return value;
}

function actionOf(value: unknown): string {
  const action = textOf(value, 'action');
  if (!ACTION.test(action)) throw new Error(`unknown action ${action}`);
  return action;
}
