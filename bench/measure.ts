/** Round-robin timing of whole commands: every variant once a round, so that a ratio compares them under the same load. */
import { spawnSync } from 'node:child_process';

export interface Variant {
  name: string;
  command: string[];
  /** Run before each measurement and not measured. */
  before?: () => void;
  /** Run after each measurement and not measured. */
  after?: () => void;
}

export interface Row {
  name: string;
  /** milliseconds */
  min: number;
  median: number;
  max: number;
  /** median / median of the first variant */
  ratio: number;
}

function once(variant: Variant): number {
  variant.before?.();
  const [file = '', ...args] = variant.command;
  const start = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const elapsed = Number(process.hrtime.bigint() - start) / 1e6;
  if (error) throw error;
  if (status !== 0) throw new Error(`${variant.command.join(' ')}: exit ${status}\n${stderr}`);
  variant.after?.();
  return elapsed;
}

/** Measures each variant `rounds` times after one unmeasured round. */
export function measure(variants: Variant[], rounds: number): Row[] {
  const times = new Map(variants.map((variant) => [variant.name, [] as number[]]));
  for (const variant of variants) once(variant);
  for (let round = 0; round < rounds; round++) {
    for (const variant of variants) times.get(variant.name)?.push(once(variant));
  }
  const sorted = variants.map(({ name }) => ({
    name,
    values: (times.get(name) ?? []).sort((a, b) => a - b),
  }));
  const median = (values: number[]) => values[Math.floor(values.length / 2)] ?? 0;
  const base = median(sorted[0]?.values ?? []);
  return sorted.map(({ name, values }) => ({
    name,
    min: values[0] ?? 0,
    median: median(values),
    max: values.at(-1) ?? 0,
    ratio: median(values) / base,
  }));
}

/** A markdown table; times in ms. */
export function table(rows: Row[]): string {
  const line = (row: Row) =>
    `| ${row.name} | ${row.min.toFixed(0)} | ${row.median.toFixed(0)} | ${row.max.toFixed(0)} | ${row.ratio.toFixed(2)} |`;
  return [
    '| command | min ms | median ms | max ms | x |',
    '|---|---:|---:|---:|---:|',
    ...rows.map(line),
  ].join('\n');
}
