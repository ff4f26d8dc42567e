/**
 * Containers without a store: a root directory, the two documents as the plan makes them (and a test bends them), and the
 * real monitor. For what happens between clone and exec.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { makeBusyboxRoot } from '../../rootfs-fixtures/busybox.js';
import { encodeFrame, MonitorClient } from '../../src/engine/attach.js';
import { readReport } from '../../src/engine/report.js';
import type { FailureRecord, LaunchSpec } from '../../src/native/launch.js';
import { helperPath, loadNative } from '../../src/native/load.js';
import { ENGINE_VERB, Frame, Want } from '../../src/native/protocol.js';
import { planRun } from '../../src/plan/run.js';
import { specText } from '../../src/plan/spec-text.js';
import type { RunOptions } from '../../src/types/engine.js';
import { parseContainerId } from '../../src/types/ids.js';
import type { RuntimeSpec } from '../../src/types/oci.js';
import { planInput, someHost } from '../helpers/plan-input.js';

const native = loadNative();
export const work = mkdtempSync(join(tmpdir(), 'tsrun-child-'));
/** The busybox image's root: the lowest directory of every container here. */
export const base = join(work, 'base');
makeBusyboxRoot(base);

export function removeWork(): void {
  rmSync(work, { recursive: true, force: true });
}

/** A new empty directory. */
export function directory(name: string): string {
  return mkdtempSync(join(work, `${name}-`));
}

export interface Result {
  stdout: string;
  stderr: string;
  code?: number;
  failure?: FailureRecord;
  /** The container's directory, left as the monitor left it. */
  dir: string;
  steps: string[];
}

export interface Documents {
  spec: RuntimeSpec;
  launch: LaunchSpec;
}

type Options = Partial<RunOptions> & {
  /** Directories on top of the base, topmost first. */
  lower?: string[];
  /** Files open in the caller while the container starts. */
  change?: (documents: Documents) => void;
};

/** Writes the documents of a container into a directory of its own. */
function prepare({ lower = [], change, ...options }: Options): string {
  const dir = directory('container');
  for (const name of ['upper', 'work']) mkdirSync(join(dir, name));
  const input = planInput({ network: 'none', ...options }, {}, { ...someHost, hardLimits: ownLimits() });
  const id = parseContainerId(randomBytes(32).toString('hex'));
  const file = (name: string) => join(dir, name);
  const { spec, launch, files } = planRun({
    ...input,
    id,
    storeTag: randomBytes(3).toString('hex'),
    files: {
      upper: file('upper'),
      work: file('work'),
      hosts: file('hosts'),
      hostname: file('hostname'),
      resolvConf: file('resolv.conf'),
    },
    nameFile: file('name'),
  });
  writeFileSync(file('hosts'), files.hosts);
  writeFileSync(file('hostname'), files.hostname);
  writeFileSync(file('resolv.conf'), files.resolvConf);
  launch.overlay.lower = [...lower, base];
  change?.({ spec, launch });
  writeFileSync(file('config.json'), specText(spec));
  writeFileSync(file('launch.json'), JSON.stringify(launch));
  return dir;
}

/** Our own hard limit of open files: a container cannot have more. */
function ownLimits() {
  const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  return { nofile: Number(line?.[1]) };
}

/** Runs a container to its end. */
export async function runContainer(options: Options): Promise<Result> {
  const dir = prepare(options);
  const [report, reportWriter] = native.pipe();
  const [attach, peer] = native.socketPair();
  writeSync(attach, encodeFrame(Frame.hello, Buffer.of(Want.stdout | Want.stderr)));
  const pid = native.spawn({
    file: helperPath(),
    args: [ENGINE_VERB, 'monitor', '--dir', dir, '--report', '3', '--attach', '4'],
    env: [],
    fds: [
      { child: 3, parent: reportWriter },
      { child: 4, parent: peer },
    ],
  });
  closeSync(reportWriter);
  closeSync(peer);
  const want = Want.stdout | Want.stderr;
  const lost = () => Promise.resolve(-1);
  const client = new MonitorClient({ fd: attach, want, greeted: true, onLost: lost });
  const steps: string[] = [];
  const output = Promise.all([text(client.stdout), text(client.stderr), client.exit]);
  const outcome = await readReport(report, (step) => steps.push(step));
  closeSync(report);
  await native.waitPid(pid);
  const [stdout, stderr, code] = await output;
  if (outcome.kind === 'failed') return { stdout, stderr, failure: outcome.failure, dir, steps };
  if (outcome.kind === 'died') throw new Error(`the helper died in ${outcome.step}`);
  return { stdout, stderr, code, dir, steps };
}

/** Runs a shell script in a container; what it prints, both streams. @throws when the container does not start. */
export async function shell(script: string, options: Options = {}): Promise<string> {
  const { stdout, stderr, failure } = await runContainer({ command: ['sh', '-c', script], ...options });
  if (failure !== undefined) throw new Error(JSON.stringify(failure));
  return stdout + stderr;
}
