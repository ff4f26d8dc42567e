/**
 * What Docker's client gives the templates of `inspect`: first a struct made of the document, whose fields are there also
 * where the JSON leaves them out, and a few of which have other names; if that fails, the document as a map.
 */
import { asDocument, asMap, hideFields, isMap, isMapField, isObject, NIL_LIST, NIL_MAP } from './value.js';

/** Key in the JSON -> name of the field. */
const RENAMED: Readonly<Record<string, string>> = {
  Id: 'ID',
  Dns: 'DNS',
  DnsOptions: 'DNSOptions',
  DnsSearch: 'DNSSearch',
  NanoCpus: 'NanoCPUs',
  CpuShares: 'CPUShares',
  CpuPeriod: 'CPUPeriod',
  CpuQuota: 'CPUQuota',
  CpuRealtimePeriod: 'CPURealtimePeriod',
  CpuRealtimeRuntime: 'CPURealtimeRuntime',
  CpuCount: 'CPUCount',
  CpuPercent: 'CPUPercent',
  HostIp: 'HostIP',
};

const CONFIG = {
  ...{ Hostname: '', Domainname: '', User: '', WorkingDir: '', Image: '', StopSignal: '', MacAddress: '' },
  ...{ Env: NIL_LIST, Cmd: NIL_LIST, Entrypoint: NIL_LIST, OnBuild: NIL_LIST, Shell: NIL_LIST },
  ...{ ExposedPorts: NIL_MAP, Volumes: NIL_MAP, Labels: NIL_MAP },
  ...{ Healthcheck: null, StopTimeout: null, ArgsEscaped: false, NetworkDisabled: false },
};

/** Field -> what its struct has and JSON leaves out when it is empty; "" is the document itself. */
const OMITTED: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  '': { SizeRw: null, SizeRootFs: null, Variant: '', OsVersion: '' },
  State: { Health: null },
  Config: CONFIG,
  HostConfig: {
    ...{ Init: null, Mounts: NIL_LIST },
    ...{ Tmpfs: NIL_MAP, Sysctls: NIL_MAP, StorageOpt: NIL_MAP, Annotations: NIL_MAP },
  },
  Mounts: { Name: '', Driver: '' },
};

export function asStruct(document: object): object {
  return structOf(document as Record<string, unknown>, '');
}

function structOf(source: Record<string, unknown>, field: string): object {
  const object: Record<string, unknown> = {};
  const renamed: string[] = [];
  const unseen = (name: string, value: unknown) =>
    Object.hasOwn(object, name) || Object.defineProperty(object, name, { value, enumerable: false });
  for (const [key, value] of Object.entries(source)) {
    object[key] = typed(value, key);
    const name = RENAMED[key];
    if (name === undefined) continue;
    renamed.push(key);
    unseen(name, object[key]);
  }
  for (const [name, value] of Object.entries(OMITTED[field] ?? {})) unseen(name, value);
  hideFields(object, renamed);
  return object;
}

function typed(value: unknown, field: string): unknown {
  if (Array.isArray(value)) return value.map((item) => typed(item, field));
  if (!isObject(value)) return value;
  if (!isMapField(field) && !isMap(value)) return structOf(value, field);
  return asMap(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, typed(item, '-')])));
}

/** Every object a map; null is no value. */
export function asDocuments(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(asDocuments);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return asDocument(Object.fromEntries(entries.map(([key, item]) => [key, asDocuments(item)])));
}
