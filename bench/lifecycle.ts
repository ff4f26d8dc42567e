/** exec, stop, ps and starts at once, beside docker and podman. All containers are busybox without a network. */
import { spawnSync } from 'node:child_process';
import { measure, type Row, type Variant } from './measure.js';
import { must, type Peer, type Peers, quietly } from './peers.js';

const NONE = ['--network', 'none'];

export async function benchExec({ all }: Peers, rounds: number): Promise<Row[]> {
  for (const { command, flags } of all)
    await must(command('run', '-d', '--name', 'execs', ...flags, ...NONE, 'busybox', 'sleep', '1000000'));
  const rows = measure(
    all.map(({ name, command }) => ({
      name: `\`${name} exec C true\``,
      command: command('exec', 'execs', 'true'),
    })),
    rounds,
  );
  for (const { command } of all) await must(command('rm', '-f', 'execs'));
  return rows;
}

/** Of a program that ends as soon as it is asked to. */
export function benchStop({ all }: Peers, rounds: number): Row[] {
  const polite = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1000 & wait $!; done'];
  return measure(
    all.map(({ name, command, flags }) => ({
      name: `\`${name} stop C\``,
      before: () => quietly(command('run', '-d', '--name', 'stops', ...flags, ...NONE, 'busybox', ...polite)),
      command: command('stop', 'stops'),
      after: () => quietly(command('rm', '-f', 'stops')),
    })),
    rounds,
  );
}

/** `count` containers in each engine, created and not started. */
export function benchPs({ all }: Peers, count: number, rounds: number): Row[] {
  for (const peer of all) atOnce(peer, count, 4, 'create');
  const rows = measure(
    all.map(({ name, command }) => ({ name: `\`${name} ps -a\` of ${count}`, command: command('ps', '-a') })),
    rounds,
  );
  return rows; // and stays: nothing runs in them, and closing takes the stores away
}

/** `count` clients that start a sleeping container, all at the same time. */
export function benchStarts({ all }: Peers, count: number, rounds: number): Row[] {
  const variant = ({ name, command, flags }: Peer): Variant => ({
    name: `${count} x \`${name} run -d\` at once`,
    command: shell(command('run', '-d', ...flags, ...NONE, 'busybox', 'sleep', '1000000'), count, count),
    after: () => removeAll(command, name === 'podman' ? 'rm -f -t 0' : 'rm -f'),
  });
  return measure(all.map(variant), rounds);
}

function atOnce({ command, flags }: Peer, count: number, limit: number, verb: string): void {
  const [file = '', ...args] = shell(command(verb, ...flags, ...NONE, 'busybox', 'true'), count, limit);
  const { status, stderr } = spawnSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`${command(verb).join(' ')}: ${stderr}`);
}

function shell(command: string[], count: number, limit: number): string[] {
  return ['sh', '-c', `seq ${count} | xargs -P ${limit} -I{} "$@" >/dev/null`, 'at-once', ...command];
}

function removeAll(command: Peer['command'], verb: string): void {
  const quoted = command()
    .map((word) => `'${word}'`)
    .join(' ');
  quietly(['sh', '-c', `${quoted} ps -aq | xargs -r ${quoted} ${verb}`]);
}
