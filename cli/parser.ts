/** The only file that imports yargs: types and defaults of scanned flags, and the layout of help texts. */
import yargs, { type Options } from 'yargs';
import type { Flag, Token } from './flags.js';

const TYPES = { bool: 'boolean', string: 'string', list: 'array', int: 'number' } as const;

/**
 * Values by flag name. yargs would strip quotes and drop empty words, so it is given the place of each text instead of
 * the text: what the user typed passes through untouched.
 */
export function typedValues(tokens: readonly Token[], flags: readonly Flag[]): Record<string, unknown> {
  const parser = base([]);
  const isText = (flag: Flag) => flag.kind === 'string' || flag.kind === 'list';
  const textAt = (place: unknown) =>
    typeof place === 'string' ? tokens[Number(place.slice(1))]?.value : place;
  for (const flag of flags) {
    const list = flag.kind === 'list';
    parser.option(flag.name, {
      type: TYPES[flag.kind],
      string: isText(flag),
      default: list ? [] : flag.kind === 'bool' ? (flag.default ?? false) : undefined,
      coerce: (value: unknown) => {
        const all: unknown[] = Array.isArray(value) ? value : [value];
        if (list) return all.map(textAt);
        // A flag that is repeated counts once: the last one wins.
        const last = all.at(-1);
        return isText(flag) ? textAt(last) : last;
      },
    });
  }
  const words = tokens.map(
    ({ flag, value }, place) => `--${flag.name}=${isText(flag) ? `@${place}` : value}`,
  );
  const values = parser.parseSync(words);
  for (const flag of flags) values[flag.name] ??= flag.default;
  return values;
}

export interface HelpText {
  /** Everything above the options. */
  head: string;
  flags: readonly Flag[];
  title: string;
  examples?: readonly (readonly [string, string])[];
  foot?: string;
  columns: number;
}

export async function helpText(help: HelpText): Promise<string> {
  const parser = base([]).wrap(Math.min(help.columns, 110));
  for (const flag of help.flags) {
    if (flag.hidden) continue;
    parser.option(flag.name, {
      ...(flag.short === undefined ? {} : { alias: flag.short }),
      type: TYPES[flag.kind],
      describe: flag.help,
      group: help.title,
      ...(flag.default === undefined ? {} : { default: flag.default }),
    } satisfies Options);
  }
  if (help.foot !== undefined) parser.epilogue(help.foot);
  // yargs would re-flow the head, and the examples, which are there to be copied.
  const examples = (help.examples ?? []).map(([command, what]) => `  ${command}\n      ${what}`);
  const parts = [help.head, (await parser.getHelp()).trimEnd()];
  if (examples.length > 0) parts.push(`Examples:\n${examples.join('\n')}`);
  return parts.filter((part) => part !== '').join('\n\n');
}

function base(argv: string[]) {
  return yargs(argv)
    .scriptName('tsrun')
    .detectLocale(false)
    .help(false)
    .version(false)
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      throw error ?? new Error(message);
    })
    .strict()
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'boolean-negation': false,
      'short-option-groups': false,
      'parse-positional-numbers': false,
      'greedy-arrays': false,
    });
}
