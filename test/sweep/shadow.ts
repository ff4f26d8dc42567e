/**
 * The package once more, in a directory of its own, with strace(1) before its helper: so a process of the helper's can be
 * killed at any system call, from its first to its last, while the CLI that started it lives.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Kills a process at its `when`-th call of `call`; every process and thread counts for itself. */
export interface Fault {
  call: string;
  when: number;
}

/**
 * strace attaches from outside, so that it holds none of the fds whose end somebody waits for; the shell goes on, with
 * nothing but builtins, when it is there. What it does before it is the helper is not of the traced kinds.
 */
const WRAPPER = `#!/bin/sh
dir=\${0%/*}
if [ -e "$dir/fault" ]; then
  read -r call when log <"$dir/fault"
  (strace -f -qq -o "$log.$$" -e trace="$call" -e inject="$call:signal=SIGKILL:when=$when" -p $$ \\
    </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- &)
  tries=0 tracer=0
  until [ "$tracer" -ne 0 ]; do
    while read -r key value; do [ "$key" != TracerPid: ] || tracer=$value; done </proc/$$/status
    tries=$((tries + 1))
    [ $tries -lt 500000 ] || exit 99
  done
fi
exec "$dir/real/tsrun-runtime" "$@"
`;

export class Shadow {
  readonly program: string;
  readonly #release: string;
  readonly #log: string;

  constructor(private readonly dir: string) {
    this.program = join(dir, 'bin', 'tsrun');
    this.#release = join(dir, 'build', 'Release');
    this.#log = join(dir, 'log');
    mkdirSync(join(this.#release, 'real'), { recursive: true });
    mkdirSync(this.#log);
    mkdirSync(join(dir, 'dist'));
    for (const file of ['bin', 'package.json', 'dist/cli.cjs', 'dist/busybox.tar'])
      cpSync(resolve(file), join(dir, file), { recursive: true });
    for (const file of ['tsrun.node', 'tsrun-init'])
      cpSync(resolve('build/Release', file), join(this.#release, file));
    cpSync(resolve('build/Release/tsrun-runtime'), join(this.#release, 'real', 'tsrun-runtime'));
    const wrapper = join(this.#release, 'tsrun-runtime');
    writeFileSync(wrapper, WRAPPER);
    chmodSync(wrapper, 0o755);
  }

  /** From now on: processes that start, and those in `running`. */
  arm({ call, when }: Fault, running: number[]): void {
    for (const name of readdirSync(this.#log)) rmSync(join(this.#log, name));
    writeFileSync(join(this.#release, 'fault'), `${call} ${when} ${join(this.#log, 'helper')}\n`);
    for (const pid of running) {
      const inject = `${call}:signal=SIGKILL:when=${when}`;
      const log = join(this.#log, `running.${pid}`);
      const args = [
        '-f',
        '-qq',
        '-o',
        log,
        '-e',
        `trace=${call}`,
        '-e',
        `inject=${inject}`,
        '-p',
        String(pid),
      ];
      const quoted = args.map((arg) => `'${arg}'`).join(' ');
      const script = `(strace ${quoted} </dev/null >/dev/null 2>&1 &)
        until grep -q '^TracerPid:.[1-9]' /proc/${pid}/status; do [ -e /proc/${pid} ] || exit 0; done`;
      execFileSync('sh', ['-c', script]);
    }
  }

  disarm(): void {
    rmSync(join(this.#release, 'fault'), { force: true });
  }

  /** The command that runs the CLI itself under strace, its helpers included; one pool thread makes the counts repeatable. */
  straced({ call, when }: Fault, args: string[]): [string, string[]] {
    for (const name of readdirSync(this.#log)) rmSync(join(this.#log, name));
    const inject = `${call}:signal=SIGKILL:when=${when}`;
    const flags = ['-D', '-f', '-qq', '--seccomp-bpf', '-o', join(this.#log, 'cli')];
    const traced = ['-e', `trace=${call}`, '-e', `inject=${inject}`, process.execPath, '--'];
    return ['strace', [...flags, ...traced, join(this.dir, 'bin', 'loader.cjs'), ...args]];
  }

  /** How often one process or thread made `call` at most. Less than `when`: nothing was killed. */
  reached({ call }: Fault): number {
    const counts = new Map<string, number>();
    for (const name of readdirSync(this.#log)) {
      for (const line of readFileSync(join(this.#log, name), 'utf8').split('\n')) {
        const found = /^(\d+) +(\w+)\(/.exec(line) ?? /^()(\w+)\(/.exec(line);
        if (found?.[2] !== call) continue;
        const process = `${name} ${found[1]}`;
        counts.set(process, (counts.get(process) ?? 0) + 1);
      }
    }
    return Math.max(0, ...counts.values());
  }
}
