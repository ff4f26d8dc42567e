/** `attrs` of each line of a json-file log: what the log options ask for. */
import { TsrunError } from '../errors.js';
import type { LogAttributes } from '../intent/log.js';
import type { ContainerConfig } from './config.js';

/** Of the container's record. */
export interface LogSubject {
  id: string;
  name: string;
  /** As it was asked for, and its ID. */
  image: { reference: string; id: string };
  config: Pick<ContainerConfig, 'Labels' | 'Env'>;
}

/**
 * A JSON object with sorted keys, or nothing. An option that names what the container has not is no error.
 * @throws TsrunError USAGE for a tag that names an unknown field
 */
export function logAttributes(wanted: LogAttributes, subject: LogSubject): string | undefined {
  const { Labels, Env } = subject.config;
  const variables = (Env ?? []).map(
    (text) => [text.split('=', 1)[0] ?? '', text.slice(text.indexOf('=') + 1)] as const,
  );
  const found = new Map<string, string>();
  const pick = (entries: Iterable<readonly [string, string]>, names: readonly string[], regex?: RegExp) => {
    for (const [name, value] of entries)
      if (names.includes(name) || regex?.test(name)) found.set(name, value);
  };
  pick(Object.entries(Labels ?? {}), wanted.labels, wanted.labelsRegex);
  pick(variables, wanted.env, wanted.envRegex);
  const tag = tagOf(wanted.tag, subject);
  if (tag !== '') found.set('tag', tag);
  if (found.size === 0) return undefined;
  return JSON.stringify(Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1))));
}

function tagOf(template: string, { id, name, image }: LogSubject): string {
  const fields: Record<string, string> = {
    ID: id.slice(0, 12),
    FullID: id,
    Name: name,
    ImageID: image.id.replace(/^sha256:/, '').slice(0, 12),
    ImageFullID: image.id,
    ImageName: image.reference,
    DaemonName: 'tsrun',
  };
  return template.replace(/\{\{(.*?)\}\}/g, (text, inner: string) => {
    const value = /^\s*\.(\w+)\s*$/.exec(inner)?.[1];
    if (value !== undefined && Object.hasOwn(fields, value)) return fields[value] ?? '';
    throw new TsrunError('USAGE', `failed to initialize logging driver: log tag: unknown field in ${text}`, {
      step: 'plan',
      subject: text,
      hint: `known: ${Object.keys(fields)
        .map((field) => `{{.${field}}}`)
        .join(', ')}`,
    });
  });
}
