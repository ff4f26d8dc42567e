/** docs/cli.md from the definitions that --help shows. Usage: tsx scripts/cli-docs.ts > docs/cli.md */
import { pathToFileURL } from 'node:url';
import { COMMANDS } from '../cli/commands/table.js';
import { commandHelp, globalHelp } from '../cli/help.js';

const COLUMNS = 100;

export async function cliDocs(): Promise<string> {
  const parts = [
    '# tsrun on the command line',
    'Made by `tsx scripts/cli-docs.ts`; the same as `--help` shows.',
  ];
  const block = (text: string) => `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
  parts.push(block(await globalHelp(COLUMNS)));
  const sorted = [...COMMANDS].sort((a, b) => ((a.names[0] ?? '') < (b.names[0] ?? '') ? -1 : 1));
  for (const entry of sorted) {
    const [name = ''] = entry.names;
    const { command } = await entry.load();
    parts.push(`## tsrun ${name}`, block(await commandHelp(entry, name, command, COLUMNS)));
  }
  return `${parts.join('\n\n')}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  void cliDocs().then((text) => process.stdout.write(text));
