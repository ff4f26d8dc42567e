import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerStats, Engine } from '../../src/types/engine.js';
import { type Cli, defineCommand } from '../command.js';
import { type Field, renderListing } from '../render/listing.js';
import { binarySize, humanSize } from '../render/units.js';
import { FORMAT, NO_TRUNC } from './listing-flags.js';

const COLUMNS = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'];
/** Between two looks: processor use is what grew in between. */
const INTERVAL_MS = 1000;
/** Clears the screen and begins at its top. */
const CLEAR = '\x1b[2J\x1b[H';

interface Row {
  /** What the user called it. */
  asked?: string;
  now: ContainerStats;
  before?: ContainerStats;
}

export const command = defineCommand({
  usage: '[OPTIONS] [CONTAINER...]',
  flags: [
    { name: 'all', short: 'a', kind: 'bool', help: 'Show all containers (default shows just running)' },
    FORMAT,
    { name: 'no-stream', kind: 'bool', help: 'Disable streaming stats and only pull the first result' },
    NO_TRUNC,
  ],
  min: 0,
  max: Number.POSITIVE_INFINITY,
  examples: [["tsrun stats --no-stream --format '{{.Name}} {{.CPUPerc}}'", 'One look, two fields']],
  async run(cli, flags, names) {
    const engine = await cli.engine();
    const show = (rows: Row[]) => render(cli, rows, flags.format, !flags['no-trunc']);
    let before = await engine.stats(names, { all: flags.all });
    for (;;) {
      await delay(INTERVAL_MS);
      const rows = await look(engine, names, flags.all);
      if (rows === undefined) return 0;
      const screen = await show(rowsOf(rows, before));
      if (flags['no-stream']) {
        cli.out(screen);
        return 0;
      }
      cli.out(cli.isTty(1) ? CLEAR + screen : screen);
      before = rows.map(({ now }) => now);
    }
  },
});

/** Undefined when there is nothing to look at any more: every container that was named has been removed. */
async function look(engine: Engine, names: string[], all: boolean): Promise<Row[] | undefined> {
  if (names.length === 0) return (await engine.stats([], { all })).map((now) => ({ now }));
  const found = await Promise.all(
    names.map(async (asked) => (await engine.stats([asked]).catch(() => [])).map((now) => ({ asked, now }))),
  );
  const rows = found.flat();
  return rows.length === 0 ? undefined : rows;
}

function rowsOf(rows: readonly Row[], before: readonly ContainerStats[]): Row[] {
  const earlier = new Map(before.map((stats) => [stats.id, stats]));
  return rows.map((row) => ({ ...row, before: earlier.get(row.now.id) }));
}

function render(cli: Cli, rows: Row[], format: string | undefined, trunc: boolean): Promise<string> {
  return renderListing({
    rows,
    fields: fieldsOf(trunc),
    type: '*container.statsContext',
    columns: COLUMNS,
    format,
    terminal: cli.isTty(1),
  });
}

function fieldsOf(trunc: boolean): Record<string, Field<Row>> {
  const id = ({ now }: Row) => (trunc ? now.id.slice(0, 12) : now.id);
  return {
    Container: { header: 'CONTAINER', value: ({ now, asked }) => asked ?? now.id.slice(0, 12) },
    ID: { header: 'CONTAINER ID', value: id },
    Name: { header: 'NAME', value: ({ now }) => now.name },
    CPUPerc: { header: 'CPU %', value: (row) => percent(cpuShare(row)) },
    MemUsage: {
      header: 'MEM USAGE / LIMIT',
      value: ({ now: { usage } }) =>
        `${binarySize(usage?.memory ?? 0)} / ${binarySize(usage?.memoryLimit ?? 0)}`,
    },
    MemPerc: {
      header: 'MEM %',
      value: ({ now: { usage } }) => percent(usage?.memoryLimit ? usage.memory / usage.memoryLimit : 0),
    },
    NetIO: {
      header: 'NET I/O',
      value: ({ now: { usage } }) => `${humanSize(usage?.received ?? 0)} / ${humanSize(usage?.sent ?? 0)}`,
    },
    BlockIO: {
      header: 'BLOCK I/O',
      value: ({ now: { usage } }) => `${humanSize(usage?.read ?? 0)} / ${humanSize(usage?.written ?? 0)}`,
    },
    PIDs: { header: 'PIDS', value: ({ now: { usage } }) => String(usage?.pids ?? 0) },
  };
}

/** 1 = one processor, all the time. */
function cpuShare({ now, before }: Row): number {
  if (now.usage === undefined || before?.usage === undefined) return 0;
  const passed = Number(now.time - before.time);
  const used = now.usage.cpu - before.usage.cpu;
  return passed > 0 && used > 0 ? used / passed : 0;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}
