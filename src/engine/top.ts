/** `top`: the host's ps over the processes of a container. Nothing in the container is asked. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { errnoOf, TsrunError } from '../errors.js';
import type { ContainerTop } from '../types/engine.js';
import type { EngineContext } from './context.js';
import { resolveContainer } from './resolve.js';
import { viewContainer } from './view.js';

const MOST_OUTPUT = 64 << 20;

export async function top(
  ctx: EngineContext,
  text: string,
  psArgs: readonly string[] = [],
): Promise<ContainerTop> {
  const record = resolveContainer(ctx.paths, text);
  const { live, state } = viewContainer(ctx, record);
  if (live === undefined || state === 'restarting')
    throw new TsrunError('NOT_RUNNING', `Container ${record.id} is not running`, { subject: text });
  const output = await ps(psArgs.length === 0 ? ['-ef'] : psArgs);
  return selectProcesses(output, processesOf(record.id));
}

/** Pids whose cgroup is the container's, or one that it made below: its path holds the whole id. */
function processesOf(id: string): Set<string> {
  const found = new Set<string>();
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if (readFileSync(`/proc/${pid}/cgroup`, 'latin1').includes(id)) found.add(pid);
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

/** The rows of a ps output whose PID is one of `pids`; everything behind the last title is one column. */
export function selectProcesses(output: string, pids: ReadonlySet<string>): ContainerTop {
  const [head = '', ...lines] = output.split('\n');
  const titles = head.split(/\s+/).filter(Boolean);
  const column = titles.indexOf('PID');
  if (column < 0) throw new TsrunError('USAGE', "Couldn't find PID field in ps output");
  const processes: string[][] = [];
  for (const line of lines) {
    const words = line.split(/\s+/).filter(Boolean);
    if (!pids.has(words[column] ?? '')) continue;
    const last = titles.length - 1;
    processes.push([...words.slice(0, last), words.slice(last).join(' ')]);
  }
  return { titles, processes };
}

async function ps(args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('ps', [...args], {
      maxBuffer: MOST_OUTPUT,
      env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
    });
    return stdout;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT')
      throw new TsrunError('HOST', 'top needs the program ps, and it is not installed', {
        hint: 'install the package procps',
      });
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new TsrunError('USAGE', `ps: ${said || String(error)}`);
  }
}
