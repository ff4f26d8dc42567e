/** `ps --filter`: same key = or, different keys = and. Pure: what a filter must look up comes in {@link FilterFacts}. */
import { nameMatches } from '../intent/filters.js';
import { usage } from '../intent/usage.js';
import type { ContainerView } from './view.js';

export interface FilterFacts {
  /** Creation time (RFC 3339) of the container named in before= or since=. */
  createdOf(container: string): string;
  /** Id and diff IDs of the image named in ancestor=; undefined if there is none. */
  imageOf(reference: string): { id: string; diffIds: readonly string[] } | undefined;
}

type Test = (view: ContainerView, value: string, facts: FilterFacts) => boolean;

/** What is wrong with a value, whatever containers there are. */
const CHECKS: Record<string, (value: string, facts: FilterFacts) => void> = {
  status: (value) => {
    if (!STATES.includes(value)) throw usage(`Invalid filter 'status=${value}'`, value);
  },
  exited: (value) => {
    if (!/^[+-]?\d+$/.test(value)) throw usage(`strconv.Atoi: parsing "${value}": invalid syntax`, value);
  },
  health: (value) => {
    if (!HEALTH.includes(value)) throw usage(`Unrecognised filter value for health: ${value}`, value);
  },
  before: (value, facts) => void facts.createdOf(value),
  since: (value, facts) => void facts.createdOf(value),
  publish: (value) => checkPort('publish', value),
  expose: (value) => checkPort('expose', value),
};

const TESTS: Record<string, Test> = {
  id: ({ record }, value) => record.id.startsWith(value.toLowerCase()),
  name: ({ record }, value) => nameMatches(record.name, value) || nameMatches(`/${record.name}`, value),
  label: ({ record }, value) => labelMatches(record.config.Labels ?? {}, value),
  status: (view, value) => view.state === value,
  exited: (view, value) =>
    (view.state === 'exited' || view.state === 'dead') && (view.exit?.exitCode ?? 0) === Number(value),
  before: ({ record }, value, facts) => record.created < facts.createdOf(value),
  since: ({ record }, value, facts) => record.created > facts.createdOf(value),
  ancestor: ({ record }, value, facts) => {
    const image = facts.imageOf(value);
    if (image === undefined) return record.image.reference === value;
    return record.image.id === image.id || image.diffIds.every((diffId, i) => record.diffIds[i] === diffId);
  },
  volume: ({ record }, value) =>
    record.mounts.some(
      (mount) => mount.Name === value || mount.Source === value || mount.Destination === value,
    ),
  network: ({ record }, value) => record.network === value,
  health: ({ health }, value) => value === (health?.status ?? 'none'),
  publish: () => false,
  expose: ({ record }, value) =>
    Object.keys(record.config.ExposedPorts ?? {}).some((port) => port === value || port === `${value}/tcp`),
};

const STATES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const HEALTH = ['healthy', 'unhealthy', 'starting', 'none'];

/** @throws TsrunError USAGE for a filter or a value that does not exist. */
export function applyFilters(
  views: ContainerView[],
  filters: Record<string, string[]>,
  facts: FilterFacts,
): ContainerView[] {
  const tests = Object.entries(filters).map(([key, values]) => {
    const test = TESTS[key];
    if (test === undefined) throw usage(`Invalid filter '${key}'`, key);
    for (const value of values) CHECKS[key]?.(value, facts);
    return (view: ContainerView) => values.some((value) => test(view, value, facts));
  });
  return views.filter((view) => tests.every((test) => test(view)));
}

/** These filters look at containers that do not run, too. */
export function wantsAll(filters: Record<string, string[]>): boolean {
  return filters.status !== undefined || filters.exited !== undefined;
}

function labelMatches(labels: Record<string, string>, value: string): boolean {
  const at = value.indexOf('=');
  if (at < 0) return Object.hasOwn(labels, value);
  const key = value.slice(0, at);
  return Object.hasOwn(labels, key) && labels[key] === value.slice(at + 1);
}

/** PORT[-LAST][/PROTOCOL] */
function checkPort(key: string, value: string): void {
  const [range = '', protocol = 'tcp'] = value.split('/');
  const fail = (reason: string) => usage(`error while looking up for ${key} ${value}: ${reason}`, value);
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) throw fail(`invalid proto: ${protocol}`);
  for (const port of range.split('-'))
    if (!/^\d+$/.test(port)) throw fail(`strconv.ParseUint: parsing "${port}": invalid syntax`);
}
