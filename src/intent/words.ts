/** Words of a Dockerfile instruction: how a line splits into them, and what quotes, escapes and variables become. */
import { usage } from './usage.js';

type Variables = ReadonlyMap<string, string>;

/** Splits at blanks outside quotes; quotes and escapes stay in the words. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\\' && quote !== "'" && at + 1 < text.length) {
      word += char + text.charAt(at + 1);
      at += 1;
    } else if (quote === '' && (char === ' ' || char === '\t')) {
      if (word !== '') words.push(word);
      word = '';
    } else {
      if (quote === '' && (char === '"' || char === "'")) quote = char;
      else if (char === quote) quote = '';
      word += char;
    }
  }
  return word === '' ? words : [...words, word];
}

/** Takes quotes and escapes away and puts variables in: $NAME, ${NAME}, ${NAME:-word}, ${NAME:+word}. */
export function expandWord(word: string, variables: Variables): string {
  return new Expander(word, variables).run();
}

class Expander {
  private at = 0;

  constructor(
    private readonly word: string,
    private readonly variables: Variables,
  ) {}

  run(): string {
    return this.until('');
  }

  /** Reads up to `stop`, which is left unread; '' = the end of the word. */
  private until(stop: string): string {
    let result = '';
    while (this.at < this.word.length) {
      const char = this.word.charAt(this.at);
      if (char === stop) return result;
      this.at += 1;
      if (char === "'") result += this.singleQuoted();
      else if (char === '"') result += this.doubleQuoted();
      else if (char === '\\') result += this.take();
      else result += char === '$' ? this.variable() : char;
    }
    if (stop !== '') throw this.unterminated('}');
    return result;
  }

  private singleQuoted(): string {
    const end = this.word.indexOf("'", this.at);
    if (end < 0) throw this.unterminated('single-quote');
    const text = this.word.slice(this.at, end);
    this.at = end + 1;
    return text;
  }

  private doubleQuoted(): string {
    let result = '';
    while (this.at < this.word.length) {
      const char = this.take();
      if (char === '"') return result;
      if (char === '$') result += this.variable();
      // Inside quotes a backslash escapes only what would end them or begin a variable.
      else if (char === '\\' && '"$\\'.includes(this.word.charAt(this.at) || 'x')) result += this.take();
      else result += char;
    }
    throw this.unterminated('double-quote');
  }

  private variable(): string {
    if (this.word.charAt(this.at) !== '{') {
      const name = /^(?:[A-Za-z_]\w*|\d|[@*#])/.exec(this.word.slice(this.at))?.[0];
      if (name === undefined) return '$';
      this.at += name.length;
      return this.variables.get(name) ?? '';
    }
    this.at += 1;
    const name = /^\w+/.exec(this.word.slice(this.at))?.[0] ?? '';
    this.at += name.length;
    const value = this.variables.get(name) ?? '';
    const next = this.take();
    if (name === '' || (next !== '}' && next !== ':')) throw this.badModifier(next);
    if (next === '}') return value;
    const modifier = this.take();
    if (modifier !== '-' && modifier !== '+') throw this.badModifier(modifier);
    const alternative = this.until('}');
    this.at += 1;
    const isSet = value !== '';
    return modifier === '-' ? (isSet ? value : alternative) : isSet ? alternative : '';
  }

  private take(): string {
    const char = this.word.charAt(this.at);
    this.at += 1;
    return char;
  }

  private unterminated(what: string): Error {
    const end =
      what === '}'
        ? 'unexpected end of statement while looking for matching }'
        : `unexpected end of statement while looking for matching ${what}`;
    return usage(`failed to process ${JSON.stringify(this.word)}: ${end}`, this.word);
  }

  private badModifier(modifier: string): Error {
    return usage(
      `failed to process ${JSON.stringify(this.word)}: unsupported modifier (${modifier}) in substitution`,
      this.word,
    );
  }
}
