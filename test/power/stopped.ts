/** A command that stands still whenever somebody wants to look at the disk. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export class StoppableCommand {
  readonly ended: Promise<number>;
  private readonly child: ChildProcess;
  private code: number | undefined;
  private output = '';

  /** With all its children in a process group of its own. */
  constructor(command: string, args: string[], env: Record<string, string>) {
    this.child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (data: Buffer) => {
        this.output += data.toString();
      });
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code) => {
        this.code = code ?? 255;
        resolve(this.code);
      });
    });
  }

  /** @throws Error with what it said, unless it ends with 0 */
  async succeed(): Promise<void> {
    if ((await this.ended) !== 0) throw new Error(`exit ${this.code}: ${this.output}`);
  }

  /** `look` runs while every process of it stands still; false if it has ended before. */
  async stopped(look: () => void): Promise<boolean> {
    if (!this.signal('SIGSTOP')) return false;
    while (this.members().some((state) => !'TtZX'.includes(state))) await delay(1);
    if (this.members().every((state) => state === 'Z')) {
      this.signal('SIGCONT');
      return false;
    }
    look();
    this.signal('SIGCONT');
    return true;
  }

  private signal(name: NodeJS.Signals): boolean {
    const { pid } = this.child;
    if (this.code !== undefined || pid === undefined) return false;
    try {
      process.kill(-pid, name);
      return true;
    } catch {
      return false; // it has just ended
    }
  }

  /** State letters of the processes of the group. */
  private members(): string[] {
    return readdirSync('/proc').flatMap((pid) => {
      if (!/^\d+$/.test(pid)) return [];
      try {
        // pid (comm) state ppid pgrp
        const [state = '', , group] = readFileSync(`/proc/${pid}/stat`, 'latin1')
          .replace(/^.*\) /s, '')
          .split(' ');
        return Number(group) === this.child.pid ? [state] : [];
      } catch {
        return []; // it ended meanwhile
      }
    });
  }
}
