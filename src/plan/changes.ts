/** `commit -c` applied to a config: ENV, LABEL, EXPOSE and VOLUME add to what is there, the rest replaces it. */
import { posix } from 'node:path';
import { type Change, type CommandForm, type HealthChange, parseChanges } from '../intent/change.js';
import { parseSignal } from '../intent/signal.js';
import { usage } from '../intent/usage.js';
import { expandWord, splitWords } from '../intent/words.js';
import type { Healthcheck, ImageRunConfig } from '../types/oci.js';

const DEFAULT_SHELL = ['/bin/sh', '-c'];

/** Returns a new config; variables are those of the environment as the changes before left it. */
export function applyChanges(config: ImageRunConfig, texts: readonly string[]): ImageRunConfig {
  const changes = parseChanges(texts);
  const cmdGiven = changes.some(({ kind }) => kind === 'cmd');
  let current = config;
  for (const change of changes) {
    current = { ...current, ...applied(current, change) };
    // A new ENTRYPOINT has no use for the arguments of the old one, unless CMD is given beside it.
    if (change.kind === 'entrypoint' && !cmdGiven) current = { ...current, Cmd: null };
  }
  return current;
}

function applied(config: ImageRunConfig, change: Change): Partial<ImageRunConfig> {
  const variables = new Map((config.Env ?? []).map(pair));
  const expand = (raw: string) => expandWord(raw, variables);
  switch (change.kind) {
    case 'cmd':
      return { Cmd: argvOf(change.command, config) };
    case 'entrypoint':
      return { Entrypoint: argvOf(change.command, config) };
    case 'env':
      return { Env: withEnv(config.Env ?? [], expandPairs(change.raw, expand)) };
    case 'label':
      return { Labels: { ...config.Labels, ...Object.fromEntries(expandPairs(change.raw, expand)) } };
    case 'expose':
      return { ExposedPorts: { ...config.ExposedPorts, ...keys(change.raw.map(expand).flatMap(ports)) } };
    case 'volume':
      return { Volumes: { ...config.Volumes, ...keys(change.raw.map(expand).map(volume)) } };
    case 'user':
      return { User: expand(change.raw) };
    case 'workdir':
      return { WorkingDir: posix.resolve('/', config.WorkingDir ?? '', expand(change.raw)) };
    case 'stopsignal':
      return { StopSignal: checkedSignal(expand(change.raw)) };
    case 'onbuild':
      return { OnBuild: [...(config.OnBuild ?? []), change.trigger] };
    case 'healthcheck':
      return { Healthcheck: healthOf(change.check) };
  }
}

/** An empty list clears: Docker's merge would bring the old value back, which nobody means. */
function argvOf(form: CommandForm, config: ImageRunConfig): string[] | null {
  if ('argv' in form) return form.argv.length > 0 ? form.argv : null;
  const line = form.shell === '' ? [] : [form.shell];
  return [...(config.Shell ?? DEFAULT_SHELL), ...line];
}

type Pair = [name: string, value: string];

function pair(entry: string): Pair {
  const at = entry.indexOf('=');
  return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}

function expandPairs(raw: Pair[], expand: (raw: string) => string): Pair[] {
  return raw.map(([name, value]) => [expand(name), expand(value)]);
}

function withEnv(env: readonly string[], added: Pair[]): string[] {
  const variables = new Map(env.map(pair));
  for (const [name, value] of added) variables.set(name, value);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

function keys(names: string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

const MAX_PORT = 65535;

/** `80`, `80/udp`, `80-82/tcp`; a host port before a colon means nothing here. A variable may hold several. */
function ports(text: string): string[] {
  return splitWords(text).flatMap((word) => {
    const [range = '', protocol = 'tcp'] = word.split('/');
    const container = range.slice(range.lastIndexOf(':') + 1);
    const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(container) ?? [];
    const from = Number(first);
    const to = Number(last);
    const isRange = first !== '' && from >= 0 && from <= to && to <= MAX_PORT;
    if (!isRange) throw usage(`Invalid containerPort: ${container}`, word);
    const kind = protocol.toLowerCase();
    if (!['tcp', 'udp', 'sctp'].includes(kind)) throw usage(`Invalid proto: ${protocol}`, word);
    return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/${kind}`);
  });
}

function volume(path: string): string {
  if (path.trim() === '') throw usage('VOLUME specified can not be an empty string');
  return path;
}

function checkedSignal(text: string): string {
  parseSignal(text);
  return text;
}

function healthOf({
  command,
  interval,
  timeout,
  startPeriod,
  startInterval,
  retries,
}: HealthChange): Healthcheck {
  if (command === undefined) return { Test: ['NONE'] };
  const times = {
    Interval: interval,
    Timeout: timeout,
    StartPeriod: startPeriod,
    StartInterval: startInterval,
    Retries: retries,
  };
  return {
    Test: 'argv' in command ? ['CMD', ...command.argv] : ['CMD-SHELL', command.shell],
    ...Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined)),
  };
}
