/** `exec`: one more process in a running container, owned by a session of the helper's own. */
import { randomBytes } from 'node:crypto';
import { closeSync, write, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { TsrunError } from '../errors.js';
import { probeHost } from '../host/probe.js';
import { parseEnv, parseEnvFile } from '../intent/env.js';
import { parseWorkdir } from '../intent/run.js';
import { parseUser } from '../intent/user.js';
import { ENGINE_VERB, Frame, Want } from '../native/protocol.js';
import { type ExecIntent, planExec } from '../plan/exec.js';
import type { ContainerRecord } from '../store/containers.js';
import type { Attachment, ExecOptions, ExecResult } from '../types/engine.js';
import { encodeFrame, MonitorClient } from './attach.js';
import { type EngineContext, HELPER_ENV } from './context.js';
import { readEnvFiles } from './env-files.js';
import { recordContainerEvent } from './journal.js';
import { recover } from './recover.js';
import { readReport } from './report.js';
import { resolveContainer } from './resolve.js';
import { execFailure, helperDied } from './start-failure.js';
import { viewContainer } from './view.js';

/** fds of the helper. */
const REPORT_FD = 3;
const ATTACH_FD = 4;
const PROCESS_FD = 5;

/** What a process ends with whose session died: it was killed with it. */
const KILLED = 137;

export async function exec(
  ctx: EngineContext,
  text: string,
  options: ExecOptions,
): Promise<Attachment | undefined> {
  const record = resolveContainer(ctx.paths, text);
  await recover(ctx, record.id);
  refuseUnlessRunning(ctx, record, text);
  const intent = intentOf(ctx, options);
  const id = randomBytes(32).toString('hex');
  const spec = planExec({
    intent,
    id,
    container: { Env: record.config.Env ?? [], Hostname: record.config.Hostname },
    capabilities: intent.privileged ? probeHost().capabilities : [],
  });
  const [program = '', ...args] = intent.command;
  recordContainerEvent(ctx, record, `exec_create: ${program} ${args.join(' ')}`, { execID: id });
  return launch(ctx, record, text, { document: Buffer.from(JSON.stringify(spec)), want: wantOf(options) });
}

/** @see Engine.execute */
export async function execute(
  ctx: EngineContext,
  text: string,
  options: Omit<ExecOptions, 'attach'>,
  input?: string | Uint8Array,
): Promise<ExecResult> {
  const attach = { stdin: input !== undefined, stdout: true, stderr: true };
  const attachment = await exec(ctx, text, { ...options, attach });
  if (attachment === undefined) throw new TsrunError('HELPER', 'exec gave no attachment', { subject: text });
  attachment.stdin.on('error', () => {}); // the process need not read it
  if (input !== undefined) attachment.stdin.end(input);
  const [stdout, stderr, exitCode] = await Promise.all([
    collect(attachment.stdout),
    collect(attachment.stderr),
    attachment.exit,
  ]);
  return { exitCode, stdout, stderr };
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function intentOf(ctx: EngineContext, options: ExecOptions): ExecIntent {
  if (options.command.length === 0) throw new TsrunError('USAGE', 'No exec command specified');
  return {
    command: options.command,
    env: [
      ...readEnvFiles(options.envFile).flatMap((file) => parseEnvFile(file, ctx.env)),
      ...(options.env ?? []).map((text) => parseEnv(text, ctx.env)),
    ],
    workdir: parseWorkdir(options.workdir),
    user: options.user ? parseUser(options.user) : undefined,
    tty: options.tty ?? false,
    stdin: options.attach?.stdin ?? false,
    privileged: options.privileged ?? false,
    consoleSize: options.consoleSize,
  };
}

/** @throws TsrunError NOT_RUNNING in the words of `exec` */
export function refuseUnlessRunning(ctx: EngineContext, record: ContainerRecord, text: string): void {
  const { state } = viewContainer(ctx, record);
  if (state === 'running') return;
  const message =
    state === 'paused'
      ? `Container ${text} is paused, unpause the container before exec`
      : state === 'restarting'
        ? `Container ${record.id} is restarting, wait until the container is running`
        : `Container ${record.id} is not running`;
  throw new TsrunError('NOT_RUNNING', message, { subject: text });
}

function wantOf({ attach = {} }: ExecOptions): number {
  return (
    (attach.stdout ? Want.stdout : 0) | (attach.stderr ? Want.stderr : 0) | (attach.stdin ? Want.stdin : 0)
  );
}

interface Request {
  document: Buffer;
  want: number;
}

async function launch(
  ctx: EngineContext,
  record: ContainerRecord,
  text: string,
  request: Request,
): Promise<Attachment | undefined> {
  const session = spawnSession(ctx, record, request.want);
  const attachment =
    session.attach === undefined
      ? undefined
      : new MonitorClient({
          fd: session.attach,
          want: request.want,
          greeted: true,
          onLost: async () => KILLED,
        });
  try {
    const onStep =
      ctx.onTrace &&
      ((step: string, t: number) => ctx.onTrace?.({ step, t, subject: record.id, source: 'helper' }));
    const sent = sendDocument(session.process, request.document);
    const outcome = await readReport(session.report, onStep);
    await sent;
    await ctx.native.waitPid(session.pid);
    if (outcome.kind === 'failed') throw execFailure(outcome.failure, record.id);
    if (outcome.kind === 'died') throw helperDied(outcome.step);
    return attachment;
  } catch (error) {
    attachment?.detach();
    // A container that ended just now says it better than the step that met its end.
    refuseUnlessRunning(ctx, record, text);
    throw error;
  } finally {
    closeSync(session.report);
  }
}

interface Session {
  pid: number;
  /** Our ends. */
  report: number;
  process: number;
  attach?: number;
}

function spawnSession(ctx: EngineContext, record: ContainerRecord, want: number): Session {
  const { native } = ctx;
  const [report, reportWriter] = native.pipe();
  const [processReader, processWriter] = native.pipe();
  const [attach, attachPeer] = want === 0 ? [] : native.socketPair();
  const args = [ENGINE_VERB, 'exec', '--dir', ctx.paths.container(record.id).dir];
  args.push('--report', String(REPORT_FD), '--process', String(PROCESS_FD));
  const fds = [
    { child: REPORT_FD, parent: reportWriter },
    { child: PROCESS_FD, parent: processReader },
  ];
  try {
    if (attach !== undefined && attachPeer !== undefined) {
      writeSync(attach, encodeFrame(Frame.hello, Buffer.of(want)));
      args.push('--attach', String(ATTACH_FD));
      fds.push({ child: ATTACH_FD, parent: attachPeer });
    }
    const pid = native.spawn({ file: ctx.helperPath, args, env: [...HELPER_ENV], fds });
    return { pid, report, process: processWriter, attach };
  } catch (error) {
    for (const fd of [report, processWriter, attach]) if (fd !== undefined) closeSync(fd);
    throw error;
  } finally {
    for (const fd of [reportWriter, processReader, attachPeer]) if (fd !== undefined) closeSync(fd);
  }
}

/** On the thread pool: it may be longer than a pipe holds. A helper that has failed no longer reads, and its report says why. */
function sendDocument(fd: number, document: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const step = (from: number): void =>
      write(fd, document, from, document.length - from, null, (error, written) => {
        if (error === null && from + written < document.length) return step(from + written);
        closeSync(fd);
        resolve();
      });
    step(0);
  });
}
