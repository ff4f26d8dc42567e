/** Tokens -> tree. The grammar of Go's text/template without named templates. */
import { lex, type Piece, parseFailure, type Token } from './lex.js';
import type { Call, Control, Node, Operand, Pipe } from './tree.js';

const KEYWORDS = new Set([
  'if',
  'with',
  'range',
  'else',
  'end',
  'break',
  'continue',
  'define',
  'template',
  'block',
]);

export interface ParseContext {
  name: string;
  isFunction(name: string): boolean;
}

/** @throws TemplateError "template: NAME:LINE: …" */
export function parse(source: string, context: ParseContext): Node[] {
  const parser = new Parser(source, context, lex(source, context.name));
  const { nodes, end } = parser.list(0);
  if (end !== undefined) throw parser.failure(end.pos, `unexpected {{${end.word}}}`);
  return nodes;
}

class Parser {
  private index = 0;
  private readonly variables: string[] = ['$'];

  constructor(
    private readonly source: string,
    private readonly context: ParseContext,
    private readonly pieces: Piece[],
  ) {}

  failure(pos: number, message: string) {
    return parseFailure(this.context.name, this.source, pos, message);
  }

  /** Nodes up to the end of the text, or to an {{end}} or {{else …}} which is returned with its tokens. */
  list(loops: number): { nodes: Node[]; end?: { word: string; tokens: Token[]; pos: number } } {
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.pieces[this.index++];
      if (piece === undefined) return { nodes };
      if (piece.kind === 'text') {
        nodes.push({ kind: 'text', text: piece.text });
        continue;
      }
      const { tokens, pos } = piece;
      const first = tokens[0];
      if (first === undefined) throw this.failure(pos, 'missing value for command');
      const word = first.kind === 'word' && KEYWORDS.has(first.text) ? first.text : undefined;
      if (word === 'end' || word === 'else') {
        if (word === 'end' && tokens[1])
          throw this.failure(pos, `unexpected ${JSON.stringify(tokens[1].text)} in end`);
        return { nodes, end: { word, tokens: tokens.slice(1), pos } };
      }
      nodes.push(this.node(word, tokens, pos, loops));
    }
  }

  private node(word: string | undefined, tokens: Token[], pos: number, loops: number): Node {
    if (word === undefined) return { kind: 'action', pipe: this.pipe(tokens, pos, 'command') };
    if (word === 'break' || word === 'continue') {
      if (tokens[1]) throw this.failure(pos, `unexpected ${show(tokens[1])} in {{${word}}}`);
      if (loops === 0) throw this.failure(pos, `{{${word}}} outside {{range}}`);
      return { kind: word };
    }
    if (word === 'if' || word === 'with' || word === 'range')
      return this.control(word, tokens.slice(1), pos, loops);
    throw this.failure(pos, `{{${word}}} is not supported`);
  }

  private control(kind: Control['kind'], tokens: Token[], pos: number, loops: number): Node {
    const scope = this.variables.length;
    const pipe = this.pipe(tokens, pos, kind);
    const inside = this.list(kind === 'range' ? loops + 1 : loops);
    let otherwise: Node[] = [];
    let end = inside.end;
    if (end?.word === 'else') {
      const next = end.tokens[0];
      if (next === undefined) {
        const alternative = this.list(loops);
        otherwise = alternative.nodes;
        end = alternative.end;
        if (end?.word === 'else') throw this.failure(end.pos, 'expected end; found {{else}}');
      } else if (next.text === kind && kind !== 'range') {
        // {{else if}}: the rest is one node, which takes the {{end}} of both.
        otherwise = [this.control(kind, end.tokens.slice(1), end.pos, loops)];
        this.variables.length = scope;
        return { kind, pipe, body: inside.nodes, otherwise };
      } else throw this.failure(end.pos, `unexpected ${show(next)} in else`);
    }
    if (end === undefined) throw this.failure(this.source.length, 'unexpected EOF');
    this.variables.length = scope;
    return { kind, pipe, body: inside.nodes, otherwise };
  }

  private pipe(tokens: Token[], pos: number, where: string): Pipe {
    const { declare, assign, rest } = this.declarations(tokens, where);
    const text = this.textOf(rest);
    const calls: Call[] = [];
    let start = 0;
    let depth = 0;
    for (let i = 0; i <= rest.length; i += 1) {
      const token = rest[i];
      if (token?.text === '(' && token.kind === 'punct') depth += 1;
      if (token?.text === ')' && token.kind === 'punct') depth -= 1;
      if (token !== undefined && (depth > 0 || token.text !== '|' || token.kind !== 'punct')) continue;
      const part = rest.slice(start, i);
      if (part.length === 0) throw this.failure(pos, `missing value for ${where}`);
      calls.push(this.call(part));
      start = i + 1;
    }
    calls.slice(1).forEach((call, i) => {
      const kind = call.args[0]?.kind;
      if (kind === 'constant' || kind === 'dot' || kind === 'nil')
        throw this.failure(call.pos, `non executable command in pipeline stage ${i + 2}`);
    });
    return { declare, assign, calls, text, pos: rest[0]?.pos ?? pos };
  }

  private declarations(
    tokens: Token[],
    where: string,
  ): { declare: string[]; assign: boolean; rest: Token[] } {
    const [a, b, c, d] = tokens;
    if (a?.kind === 'variable' && (b?.text === ':=' || b?.text === '=')) {
      this.declare(a, b.text === ':=');
      return { declare: [a.text], assign: b.text === '=', rest: tokens.slice(2) };
    }
    if (
      a?.kind === 'variable' &&
      b?.text === ',' &&
      c?.kind === 'variable' &&
      (d?.text === ':=' || d?.text === '=')
    ) {
      if (where !== 'range') throw this.failure(a.pos, `too many declarations in ${where}`);
      this.declare(a, d.text === ':=');
      this.declare(c, d.text === ':=');
      return { declare: [a.text, c.text], assign: d.text === '=', rest: tokens.slice(4) };
    }
    return { declare: [], assign: false, rest: tokens };
  }

  private declare(token: Token, fresh: boolean): void {
    if (fresh) this.variables.push(token.text);
    else this.known(token);
  }

  private known(token: Token): void {
    if (!this.variables.includes(token.text))
      throw this.failure(token.pos, `undefined variable "${token.text}"`);
  }

  private call(tokens: Token[]): Call {
    const args: Operand[] = [];
    let at = 0;
    while (at < tokens.length) {
      const { operand, next } = this.operand(tokens, at);
      args.push(operand);
      at = next;
    }
    return { args, text: this.textOf(tokens), pos: tokens[0]?.pos ?? 0 };
  }

  private operand(tokens: Token[], at: number): { operand: Operand; next: number } {
    const token = tokens[at] as Token;
    const base = { pos: token.pos, text: token.text };
    let next = at + 1;
    const names: string[] = [];
    const fields = () => {
      for (let t = tokens[next]; t?.kind === 'field' && !t.spaced; t = tokens[next]) {
        names.push(t.text.slice(1));
        next += 1;
      }
    };
    if (token.kind === 'punct' && token.text === '(') {
      const close = matching(tokens, at);
      const pipe = this.pipe(tokens.slice(at + 1, close), token.pos, 'parenthesized pipeline');
      next = close + 1;
      fields();
      return { operand: { kind: 'pipe', pipe, names, ...this.span(tokens, at, next) }, next };
    }
    if (token.kind === 'field') {
      names.push(token.text.slice(1));
      fields();
      return { operand: { kind: 'field', names, ...this.span(tokens, at, next) }, next };
    }
    if (token.kind === 'variable') {
      this.known(token);
      fields();
      return { operand: { kind: 'variable', name: token.text, names, ...this.span(tokens, at, next) }, next };
    }
    if (token.kind === 'punct') {
      if (token.text === '.') return { operand: { kind: 'dot', ...base }, next };
      throw this.failure(token.pos, `unexpected ${show(token)} in operand`);
    }
    return { operand: this.literal(token), next };
  }

  private literal(token: Token): Operand {
    const base = { pos: token.pos, text: token.text };
    if (token.kind === 'string') return { kind: 'constant', value: token.value ?? '', ...base };
    if (token.kind === 'char') return { kind: 'constant', value: token.value?.codePointAt(0) ?? 0, ...base };
    if (token.kind === 'number') {
      const plain = token.text.replaceAll('_', '');
      const float = !/^[+-]?0[xXbBoO]/.test(plain) && /[.eE]/.test(plain);
      return { kind: 'constant', value: Number(plain), float, ...base };
    }
    if (token.text === 'true' || token.text === 'false')
      return { kind: 'constant', value: token.text === 'true', ...base };
    if (token.text === 'nil') return { kind: 'nil', ...base };
    if (!this.context.isFunction(token.text))
      throw this.failure(token.pos, `function "${token.text}" not defined`);
    return { kind: 'function', name: token.text, ...base };
  }

  private span(tokens: Token[], from: number, to: number): { pos: number; text: string } {
    // Go names a chain by the place of its second part.
    const start = tokens[from] as Token;
    const chained = tokens.slice(from + 1, to).find((t) => t.kind === 'field' && !t.spaced);
    const pos = (chained ?? start).pos;
    return { pos, text: this.textOf(tokens.slice(from, to)) };
  }

  private textOf(tokens: Token[]): string {
    const first = tokens[0];
    const last = tokens.at(-1);
    return first && last ? this.source.slice(first.pos, last.pos + last.text.length) : '';
  }
}

function matching(tokens: Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i += 1) {
    if (tokens[i]?.kind !== 'punct') continue;
    if (tokens[i]?.text === '(') depth += 1;
    if (tokens[i]?.text === ')') depth -= 1;
    if (depth === 0) return i;
  }
  return tokens.length;
}

function show(token: Token): string {
  return token.kind === 'punct' ? `"${token.text}"` : `<${token.text}>`;
}
