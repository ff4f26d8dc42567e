/** What is typed, as names of keys: "up", "tab", "a". A key may come in pieces, and several at once. */
import { StringDecoder } from 'node:string_decoder';

const SEQUENCES: Record<string, string> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  OA: 'up',
  OB: 'down',
  OC: 'right',
  OD: 'left',
  '[H': 'home',
  '[F': 'end',
  OH: 'home',
  OF: 'end',
  '[1~': 'home',
  '[7~': 'home',
  '[4~': 'end',
  '[8~': 'end',
  '[5~': 'pageup',
  '[6~': 'pagedown',
  '[3~': 'delete',
  '[Z': 'backtab',
};

const CONTROLS: Record<string, string> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  ' ': 'space',
  '\b': 'backspace',
  '\x7f': 'backspace',
  '\x03': 'ctrl-c',
  '\x04': 'ctrl-d',
  '\x0c': 'ctrl-l',
  '\x15': 'ctrl-u',
  '\x17': 'ctrl-w',
  '\x1a': 'ctrl-z',
  '\x1c': 'ctrl-\\',
};

export class KeyReader {
  readonly #decoder = new StringDecoder('utf8');
  #held = '';

  /** Something that may be the beginning of a longer key: call {@link flush} when nothing more comes. */
  get waiting(): boolean {
    return this.#held !== '';
  }

  feed(chunk: Uint8Array): string[] {
    let text = this.#held + this.#decoder.write(Buffer.from(chunk));
    this.#held = '';
    const keys: string[] = [];
    while (text !== '') {
      const sequence = /^\x1b(?:\[[0-?]*[ -/]*[@-~]|O[A-Za-z])/.exec(text)?.[0];
      if (sequence !== undefined) {
        const key = SEQUENCES[sequence.slice(1)];
        if (key !== undefined) keys.push(key);
        text = text.slice(sequence.length);
      } else if (/^\x1b(?:\[[0-?]*[ -/]*|O)?$/.test(text)) {
        this.#held = text;
        break;
      } else if (text.startsWith('\x1b')) {
        keys.push('escape');
        text = text.slice(1);
      } else {
        const [char = ''] = text;
        const key = CONTROLS[char] ?? (char >= ' ' ? char : undefined);
        if (key !== undefined) keys.push(key);
        text = text.slice(char.length);
      }
    }
    return keys;
  }

  /** The escape key alone, after all. */
  flush(): string[] {
    if (this.#held === '') return [];
    this.#held = '';
    return ['escape'];
  }
}
