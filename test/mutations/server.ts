/** The tree verbs with sanitizers, as a server: a fork for each verb. test/layer/verb_server.h */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A verb may not use more: bytes. Shadow memory of the sanitizers counts. */
const MAX_MEMORY = 200 * 1024 * 1024;

export class VerbServer {
  verbs = 0;
  /** bytes */
  largest = 0;
  /** seconds */
  longest = 0;
  /** Crashes, hangs and too much memory, since they were last looked at. */
  problems: string[] = [];
  readonly #server: ChildProcess;

  private constructor(server: ChildProcess) {
    this.#server = server;
    let rest = '';
    server.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#report(line);
    });
  }

  /** `verbs`: made by scripts/asan-build.sh. What stands for the helper is then `client` in `dir`. */
  static async start(verbs: string, dir: string): Promise<VerbServer> {
    const socket = join(dir, 'socket');
    copyFileSync(join(verbs, 'client'), join(dir, 'client')); // it looks for the socket beside itself
    const child = spawn(join(verbs, 'tree-verbs'), ['serve', socket], { stdio: ['pipe', 'pipe', 'inherit'] });
    while (!existsSync(socket)) {
      if (child.exitCode !== null) throw new Error('the verb server did not start');
      await delay(10);
    }
    return new VerbServer(child);
  }

  stop(): void {
    this.#server.stdin?.end();
  }

  #report(line: string): void {
    const [verb = '', status = '', late = '', memory = '', seconds = ''] = line.split(' ');
    this.verbs += 1;
    this.largest = Math.max(this.largest, Number(memory) * 1024);
    this.longest = Math.max(this.longest, Number(seconds));
    const signal = Number(status) & 0x7f;
    const code = Number(status) >> 8;
    if (late === '1') this.problems.push(`${verb} did not end in ${seconds} s`);
    else if (signal !== 0) this.problems.push(`${verb} was ended by signal ${signal}`);
    else if (code > 1) this.problems.push(`${verb} ended with ${code}: a sanitizer's finding`);
    if (Number(memory) * 1024 > MAX_MEMORY) this.problems.push(`${verb} used ${memory} kB`);
  }
}
