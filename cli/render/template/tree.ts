/** The tree of a parsed template. */

export type Operand = { pos: number; text: string } & (
  | { kind: 'dot' }
  | { kind: 'nil' }
  | { kind: 'field'; names: string[] }
  | { kind: 'variable'; name: string; names: string[] }
  | { kind: 'function'; name: string }
  | { kind: 'constant'; value: string | number | boolean; float?: boolean }
  | { kind: 'pipe'; pipe: Pipe; names: string[] }
);

export interface Call {
  args: Operand[];
  text: string;
  pos: number;
}

export interface Pipe {
  declare: string[];
  assign: boolean;
  calls: Call[];
  text: string;
  pos: number;
}

export interface Control {
  kind: 'if' | 'with' | 'range';
  pipe: Pipe;
  body: Node[];
  otherwise: Node[];
}

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'action'; pipe: Pipe }
  | Control
  | { kind: 'break' | 'continue' };
