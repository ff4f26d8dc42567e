/** Help texts. The list of verbs needs only the table, so no verb's module is loaded for it. */
import type { AnyCommand } from './command.js';
import { COMMANDS, type Entry, GROUPS } from './commands/table.js';
import type { Flag } from './flags.js';
import { helpText } from './parser.js';

export const GLOBAL_FLAGS = [
  {
    name: 'root',
    kind: 'string',
    help: 'Where images and containers are kept (TSRUN_ROOT)',
    default: '/var/lib/tsrun',
  },
  { name: 'debug', short: 'D', kind: 'bool', help: 'Trace each step with its time on stderr' },
  { name: 'version', short: 'v', kind: 'bool', help: 'Print version information and quit' },
] as const satisfies readonly Flag[];

export const GLOBAL_USAGE = 'tsrun [OPTIONS] COMMAND';

function list(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, summary]) => `  ${name.padEnd(width)}   ${summary}`).join('\n');
}

const row = (entry: Entry, name: string | undefined) =>
  name === undefined ? [] : [[name, entry.summary] as const];

export function globalHelp(columns: number): Promise<string> {
  const single = (entry: Entry) =>
    row(
      entry,
      entry.names.find((name) => !name.includes(' ')),
    );
  const sorted = [...COMMANDS].sort((a, b) => ((a.names[0] ?? '') < (b.names[0] ?? '') ? -1 : 1));
  const head = [
    `Usage:  ${GLOBAL_USAGE}`,
    '\nA container engine without a daemon',
    '\nCommon Commands:',
    list(COMMANDS.filter((entry) => entry.common).flatMap(single)),
    '\nManagement Commands:',
    list(Object.entries(GROUPS)),
    '\nCommands:',
    list(sorted.filter((entry) => !entry.common).flatMap(single)),
  ].join('\n');
  const foot = "Run 'tsrun COMMAND --help' for more information on a command.";
  return helpText({ head, flags: GLOBAL_FLAGS, title: 'Global Options:', foot, columns });
}

export function groupHelp(group: string): string {
  const rows = COMMANDS.flatMap((entry) =>
    row(entry, entry.names.find((name) => name.startsWith(`${group} `))?.slice(group.length + 1)),
  ).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `Usage:  tsrun ${group} COMMAND`,
    `\n${GROUPS[group]}`,
    `\nCommands:\n${list(rows)}`,
    `\nRun 'tsrun ${group} COMMAND --help' for more information on a command.\n`,
  ].join('\n');
}

export function commandHelp(
  entry: Entry,
  name: string,
  command: AnyCommand,
  columns: number,
): Promise<string> {
  // The management form first, as in `tsrun container ls, tsrun ps`.
  const aliases = [...entry.names].sort((a, b) => Number(b.includes(' ')) - Number(a.includes(' ')));
  const head = [`Usage:  tsrun ${name} ${command.usage}`, `\n${entry.summary}`];
  if (aliases.length > 1) head.push(`\nAliases:\n  ${aliases.map((alias) => `tsrun ${alias}`).join(', ')}`);
  return helpText({
    head: head.join('\n'),
    flags: command.flags,
    title: 'Options:',
    examples: command.examples,
    columns,
  });
}
