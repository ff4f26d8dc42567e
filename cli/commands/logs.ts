import { parseTimestamp } from '../../src/intent/duration.js';
import type { LogEntry } from '../../src/types/engine.js';
import { type Cli, defineCommand } from '../command.js';
import { UsageError } from '../usage.js';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  flags: [
    { name: 'follow', short: 'f', kind: 'bool', help: 'Follow log output' },
    {
      name: 'since',
      kind: 'string',
      help: 'Show logs since a time (2026-01-02T13:23:37Z) or a duration ago (42m)',
    },
    { name: 'until', kind: 'string', help: 'Show logs before a time or a duration ago' },
    {
      name: 'tail',
      short: 'n',
      kind: 'string',
      help: 'Number of lines to show from the end of the logs',
      default: 'all',
    },
    { name: 'timestamps', short: 't', kind: 'bool', help: 'Show timestamps' },
  ],
  min: 1,
  max: 1,
  examples: [['tsrun logs -f --tail 10 web', 'The last ten lines, then what comes']],
  async run(cli, flags, [container = '']) {
    const now = new Date();
    const entries = (await cli.engine()).logs(container, {
      follow: flags.follow,
      tail: tailLines(flags.tail),
      since: flags.since ? parseTimestamp(flags.since, now, 'since') : undefined,
      until: flags.until ? parseTimestamp(flags.until, now, 'until') : undefined,
    });
    await printEntries(cli, entries, flags.timestamps);
    return 0;
  },
});

function tailLines(text: string | undefined): number | undefined {
  if (text === undefined || text === '' || text === 'all') return undefined;
  if (!/^-?\d+$/.test(text))
    throw new UsageError(
      `tsrun: invalid value for "tail": ${JSON.stringify(text)} is neither a number nor "all"`,
      1,
    );
  const lines = Number(text);
  return lines < 0 ? undefined : lines;
}

/** Bytes gathered before a write, while entries come without a wait. */
const BATCH = 64 * 1024;

async function printEntries(cli: Cli, entries: AsyncIterable<LogEntry>, timestamps: boolean): Promise<void> {
  const sinks = { stdout: cli.sink(1), stderr: cli.sink(2) };
  let stream: LogEntry['stream'] = 'stdout';
  let batch: Uint8Array[] = [];
  let size = 0;
  const flush = async () => {
    if (size === 0) return;
    const bytes = Buffer.concat(batch);
    batch = [];
    size = 0;
    await sinks[stream].write(bytes);
  };
  const iterator = entries[Symbol.asyncIterator]();
  for (;;) {
    const next = iterator.next();
    // What is here is shown before we wait for more.
    if (size > 0 && !(await isReady(next))) await flush();
    const { done, value } = await next;
    if (done) break;
    if (value.stream !== stream || size >= BATCH) await flush();
    stream = value.stream;
    const line = timestamps ? Buffer.concat([Buffer.from(`${value.time} `), value.line]) : value.line;
    batch.push(line);
    size += line.length;
  }
  await flush();
}

function isReady(promise: Promise<unknown>): Promise<boolean> {
  const later = new Promise<false>((resolve) => setImmediate(resolve, false));
  const settled = () => true as const;
  return Promise.race([promise.then(settled, settled), later]);
}
