import { writeFileSync } from 'node:fs';
import { errnoOf, TsrunError } from '../../src/errors.js';
import { defineCommand } from '../command.js';
import { cancelOnSignal } from '../terminal.js';
import { UsageError } from '../usage.js';

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE',
  flags: [
    {
      name: 'format',
      short: 'f',
      kind: 'string',
      help: '"text": the summary that is also printed where there is no terminal; "json": everything',
    },
    {
      name: 'html',
      kind: 'string',
      help: 'Write one self-contained HTML page to a file ("-": to STDOUT) instead',
    },
  ],
  min: 1,
  max: 1,
  examples: [
    ['tsrun image explore redis:7', 'Look around: "?" tells the keys'],
    ['tsrun image explore --format text redis:7 | less', 'Layers, biggest files, wasted space'],
    ['tsrun image explore --html redis.html redis:7', 'A page for a browser, to keep or to send'],
  ],
  async run(cli, { format, html }, [reference = '']) {
    if (format !== undefined && format !== 'text' && format !== 'json')
      throw refusal(`unknown format: "${format}"; "text" and "json" are known`);
    if (format !== undefined && html !== undefined) throw refusal('--format and --html exclude each other');
    if (html === '') throw refusal('--html needs the name of a file');
    const engine = await cli.engine();
    const cancel = cancelOnSignal();
    const image = await engine.exploreImage(reference, { signal: cancel.signal }).finally(cancel.done);
    if (html !== undefined) {
      const { pageOf } = await import('../explore/page.js');
      const page = pageOf(image, reference);
      if (html === '-') cli.out(page);
      else writeFile(html, page);
    } else if (format === 'json') {
      const { jsonOf } = await import('../explore/summary.js');
      cli.out(jsonOf(image));
    } else if (format === undefined && cli.isTty(0) && cli.isTty(1) && cli.env.TERM !== 'dumb') {
      const { exploreOnTerminal } = await import('../explore/session.js');
      await exploreOnTerminal(cli, engine.terminal, image);
    } else {
      const { summaryOf } = await import('../explore/summary.js');
      cli.out(summaryOf(image, cli.columns(1)));
    }
    return 0;
  },
});

function refusal(message: string): UsageError {
  return new UsageError(`tsrun: ${message}`, 1, { usage: false });
}

function writeFile(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new TsrunError('SYSTEM', `cannot write ${path}: ${errnoOf(error) ?? error}`, {
      step: 'image.explore',
      errno: errnoOf(error),
      subject: path,
      cause: error,
    });
  }
}
