import { defineCommand } from '../command.js';
import type { Flag } from '../flags.js';
import { GLOBAL_FLAGS } from '../help.js';
import { UsageError } from '../usage.js';
import { COMMANDS, findCommand, GROUPS } from './table.js';

/** The shells ask for candidates by this word; `words` are those before the one that is being typed. */
const ASK = '__complete';

const SCRIPTS: Record<string, string> = {
  bash: `_tsrun() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(tsrun completion ${ASK} -- "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _tsrun tsrun
`,
  zsh: `#compdef tsrun
_tsrun() {
  local -a found
  found=("\${(@f)$(tsrun completion ${ASK} -- "\${(@)words[2,CURRENT-1]}" 2>/dev/null)}")
  compadd -a found || _files
}
compdef _tsrun tsrun
`,
};

export const command = defineCommand({
  usage: 'bash|zsh',
  flags: [],
  min: 1,
  max: Number.POSITIVE_INFINITY,
  examples: [['source <(tsrun completion bash)', 'For this shell; zsh likewise']],
  async run(cli, _flags, [shell = '', ...words]) {
    const script = SCRIPTS[shell];
    if (script !== undefined) cli.out(script);
    else if (shell !== ASK)
      throw new UsageError(`tsrun: unknown shell: "${shell}"; bash and zsh are known`, 1, { usage: false });
    else {
      const { words: fixed, kind } = await candidates(words);
      const engine = kind === undefined ? undefined : await cli.engine();
      const names: string[] = [];
      if (kind === 'CONTAINER' || kind === 'CONTAINER:') {
        const containers = (await engine?.ps({ all: true })) ?? [];
        const end = kind === 'CONTAINER:' ? ':' : '';
        names.push(...containers.flatMap((c) => c.names).map((name) => name + end));
      }
      if (kind === 'IMAGE') names.push(...((await engine?.images()) ?? []).flatMap((i) => i.repoTags));
      if (kind === 'VOLUME') names.push(...((await engine?.volumes.list()) ?? []).map((v) => v.Name));
      cli.out([...fixed, ...names].map((word) => `${word}\n`).join(''));
    }
    return 0;
  },
});

/** Words that can follow `words`, and the kind of name that the verb takes there. */
export async function candidates(words: readonly string[]): Promise<{ words: string[]; kind?: string }> {
  const found = findCommand(words);
  if (found !== undefined) {
    const { command: verb } = await found.entry.load();
    const kind = /(?:^|\s)(CONTAINER:|(?:CONTAINER|IMAGE|VOLUME)\b)/.exec(verb.usage)?.[1];
    return { words: flagWords(verb.flags), kind };
  }
  const [first] = words;
  const inGroup = first !== undefined && first in GROUPS ? `${first} ` : undefined;
  if (first !== undefined && inGroup === undefined && !first.startsWith('-')) return { words: [] };
  const names = COMMANDS.flatMap((entry) => entry.names);
  if (inGroup !== undefined)
    return {
      words: names.filter((name) => name.startsWith(inGroup)).map((name) => name.slice(inGroup.length)),
    };
  const verbs = names.filter((name) => !name.includes(' '));
  return { words: [...verbs, ...Object.keys(GROUPS), ...flagWords(GLOBAL_FLAGS)] };
}

function flagWords(flags: readonly Flag[]): string[] {
  return [...flags.filter((flag) => flag.hidden !== true).map((flag) => `--${flag.name}`), '--help'];
}
