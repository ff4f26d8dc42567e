/** Runs a parsed template over data. */
import { FUNCTIONS, LOGIC, type TemplateFunction } from './functions.js';
import { locate, TemplateError } from './lex.js';
import type { Call, Control, Node, Operand, Pipe } from './tree.js';
import { display, emptied, entriesOf, Float, fieldOf, truth, typeName } from './value.js';

export interface EvalOptions {
  name: string;
  source: string;
  /** How a printed value becomes text (escapes for a terminal). */
  print?: (text: string) => string;
  /** Functions that stand in front of the known ones (the header line of a table). */
  functions?: ReadonlyMap<string, TemplateFunction>;
  /** The error of a field that a struct has not; Go's own when absent. */
  unknownField?: (name: string, type: string) => string;
}

type Flow = 'next' | 'break' | 'continue';

/** No argument came through a pipeline. */
const NONE = Symbol('none');

/** @throws TemplateError `template: NAME:LINE:COL: executing "NAME" at <…>: …` */
export function evaluate(nodes: readonly Node[], data: unknown, options: EvalOptions): string {
  const run = new Execution(data, options);
  try {
    run.walk(nodes, data);
  } catch (error) {
    if (error instanceof TemplateError) error.output = run.output;
    throw error;
  }
  return run.output;
}

class Execution {
  output = '';
  private readonly variables: { name: string; value: unknown }[];

  constructor(
    root: unknown,
    private readonly options: EvalOptions,
  ) {
    this.variables = [{ name: '$', value: root }];
  }

  walk(nodes: readonly Node[], dot: unknown): Flow {
    for (const node of nodes) {
      const flow = this.step(node, dot);
      if (flow !== 'next') return flow;
    }
    return 'next';
  }

  private step(node: Node, dot: unknown): Flow {
    switch (node.kind) {
      case 'text':
        this.output += node.text;
        return 'next';
      case 'action': {
        const value = this.pipe(node.pipe, dot);
        if (node.pipe.declare.length === 0) this.emit(value);
        return 'next';
      }
      case 'break':
      case 'continue':
        return node.kind;
      default: {
        const mark = this.variables.length;
        const flow = node.kind === 'range' ? this.range(node, dot) : this.branch(node, dot);
        this.variables.length = mark;
        return flow;
      }
    }
  }

  private emit(value: unknown): void {
    const text = display(value);
    this.output += this.options.print?.(text) ?? text;
  }

  private branch(node: Control, dot: unknown): Flow {
    const value = this.pipe(node.pipe, dot);
    if (!truth(value)) return this.walk(node.otherwise, dot);
    return this.walk(node.body, node.kind === 'with' ? value : dot);
  }

  private range(node: Control, dot: unknown): Flow {
    const { declare, assign } = node.pipe;
    const value = this.pipe(node.pipe, dot, true);
    const entries = entriesOf(value);
    if (entries === undefined)
      throw this.failure(node.pipe.pos, node.pipe.text, `range can't iterate over ${display(value)}`);
    if (entries.length === 0) return this.walk(node.otherwise, dot);
    for (const [key, item] of entries) {
      const mark = this.variables.length;
      const values = declare.length === 2 ? [key, item] : [item];
      declare.forEach((name, i) => {
        this.bind(name, values[i], assign);
      });
      const flow = this.walk(node.body, item);
      this.variables.length = mark;
      if (flow === 'break') break;
    }
    return 'next';
  }

  private bind(name: string, value: unknown, assign: boolean): void {
    const known = assign ? this.variables.findLast((v) => v.name === name) : undefined;
    if (known) known.value = value;
    else this.variables.push({ name, value });
  }

  private pipe(pipe: Pipe, dot: unknown, isRange = false): unknown {
    let value: unknown = NONE;
    for (const call of pipe.calls) value = this.call(call, dot, value);
    if (!isRange) for (const name of pipe.declare) this.bind(name, value, pipe.assign);
    return value;
  }

  private call(call: Call, dot: unknown, final: unknown): unknown {
    const [first, ...rest] = call.args as [Operand, ...Operand[]];
    if (first.kind === 'function') return this.apply(first, call, rest, dot, final);
    if (first.kind === 'nil') throw this.failure(first.pos, first.text, 'nil is not a command');
    if (first.kind === 'field' || first.kind === 'variable' || first.kind === 'pipe')
      return this.operand(first, dot, { operands: rest, final });
    if (rest.length > 0 || final !== NONE)
      throw this.failure(first.pos, first.text, `can't give argument to non-function ${first.text}`);
    return this.operand(first, dot);
  }

  private apply(
    operand: Extract<Operand, { kind: 'function' }>,
    call: Call,
    rest: Operand[],
    dot: unknown,
    final: unknown,
  ): unknown {
    const { name } = operand;
    if (LOGIC.has(name)) return this.logic(name, call, rest, dot, final);
    const fn = this.options.functions?.get(name) ?? FUNCTIONS.get(name);
    if (fn === undefined) throw this.failure(operand.pos, name, `"${name}" is not a defined function`);
    const args = rest.map((arg) => this.operand(arg, dot));
    if (final !== NONE) args.push(final);
    this.checkCount(operand, fn.min, fn.max, args.length);
    for (const i of fn.strings ?? []) {
      if (typeof args[i] === 'string') continue;
      const at = rest[i];
      const found =
        at === undefined
          ? `wrong type for value; expected string; got ${typeName(args[i])}`
          : mismatch(at, args[i]);
      throw this.failure(at?.pos ?? operand.pos, at?.text ?? name, found);
    }
    try {
      return fn.apply(name === 'json' ? args : args.map(emptied));
    } catch (error) {
      throw this.failure(call.pos, call.text, `error calling ${name}: ${(error as Error).message}`);
    }
  }

  private checkCount(operand: Operand, min: number, max: number | undefined, got: number): void {
    if (got >= min && got <= (max ?? got)) return;
    const want = max === undefined ? `at least ${min}` : String(min);
    const text = `wrong number of args for ${operand.text}: want ${want} got ${got}`;
    throw this.failure(operand.pos, operand.text, text);
  }

  private logic(name: string, call: Call, rest: Operand[], dot: unknown, final: unknown): unknown {
    const lazy = [
      ...rest.map((arg) => () => this.operand(arg, dot)),
      ...(final === NONE ? [] : [() => final]),
    ];
    this.checkCount(call.args[0] as Operand, 1, name === 'not' ? 1 : undefined, lazy.length);
    let value: unknown;
    for (const next of lazy) {
      value = next();
      if (name === 'not') return !truth(value);
      if (truth(value) === (name === 'or')) break;
    }
    return value;
  }

  private operand(operand: Operand, dot: unknown, call?: { operands: Operand[]; final: unknown }): unknown {
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'constant':
        return operand.float && typeof operand.value === 'number' ? new Float(operand.value) : operand.value;
      case 'function':
        return this.apply(operand, { args: [operand], text: operand.text, pos: operand.pos }, [], dot, NONE);
      case 'field':
        return this.chain(dot, operand, dot, call);
      case 'variable': {
        const value = this.variables.findLast((v) => v.name === operand.name)?.value;
        return this.chain(value, operand, dot, call);
      }
      case 'pipe':
        return this.chain(this.pipe(operand.pipe, dot), operand, dot, call);
    }
  }

  private chain(
    start: unknown,
    operand: Extract<Operand, { names: string[] }>,
    dot: unknown,
    call?: { operands: Operand[]; final: unknown },
  ): unknown {
    const hasArgs = call !== undefined && (call.operands.length > 0 || call.final !== NONE);
    if (hasArgs && operand.names.length === 0)
      throw this.failure(operand.pos, operand.text, `can't give argument to non-function ${operand.text}`);
    let value = start;
    operand.names.forEach((name, i) => {
      const last = i === operand.names.length - 1;
      value = this.field(value, name, operand);
      if (typeof value === 'function') {
        const args = last && call ? call.operands.map((arg) => this.operand(arg, dot)) : [];
        if (last && call && call.final !== NONE) args.push(call.final);
        value = (value as (...args: unknown[]) => unknown)(...args);
      } else if (last && hasArgs)
        throw this.failure(
          operand.pos,
          operand.text,
          `${name} has arguments but cannot be invoked as function`,
        );
    });
    return value;
  }

  private field(value: unknown, name: string, operand: Operand): unknown {
    try {
      return fieldOf(value, name, this.options.unknownField);
    } catch (error) {
      throw this.failure(operand.pos, operand.text, (error as Error).message);
    }
  }

  private failure(pos: number, text: string, message: string): TemplateError {
    const { line, column } = locate(this.options.source, pos);
    return new TemplateError(
      `template: ${this.options.name}:${line}:${column}: executing "${this.options.name}" at <${text}>: ${message}`,
    );
  }
}

function mismatch(operand: Operand, value: unknown): string {
  if (operand.kind === 'constant') return `expected string; found ${operand.text}`;
  if (value === undefined || value === null) return 'invalid value; expected string';
  return `wrong type for value; expected string; got ${typeName(value)}`;
}
