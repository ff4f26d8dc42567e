/** The two engines that the cases run against, one after the other each, side by side. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Result, run, Store, TSRUN } from '../helpers/cli.js';
import { startDocker } from '../helpers/dockerd.js';
import { type GoldenCase, namesIn, volumesIn } from './case.js';

/** Longer than any case takes on a busy machine; a case that hangs then fails by its exit code, 124. */
const PATIENCE = '90';

const ATTEMPTS = 5;

const PRELUDE = `
run() { docker run --network none "$@"; }
create() { docker create --network none "$@"; }
said() { until docker logs "$1" 2>&1 | grep -q "$2"; do sleep 0.1; done; }
`;

const NOTHING: Result = { code: 0, stdout: '', stderr: '' };

export interface Outcome extends Result {
  /** Why `before` failed, if it did. */
  broken?: string;
}

export class GoldenEngine {
  readonly dir = mkdtempSync(join(tmpdir(), 'tsrun-golden-'));

  /** What the cases in a row share, and how the making of it went. */
  private shared = '';
  private sharing: Result = NOTHING;

  private constructor(
    readonly env: Record<string, string>,
    private readonly end: () => Promise<void>,
  ) {}

  static async docker(): Promise<GoldenEngine> {
    const docker = await startDocker();
    return new GoldenEngine({ DOCKER_HOST: docker.command[2] ?? '' }, () => docker.stop());
  }

  /** tsrun under the name `docker`. */
  static tsrun(): GoldenEngine {
    const store = new Store();
    const bin = mkdtempSync(join(tmpdir(), 'tsrun-golden-bin-'));
    writeFileSync(join(bin, 'docker'), `#!/bin/sh\nexec ${TSRUN} "$@"\n`);
    chmodSync(join(bin, 'docker'), 0o755);
    return new GoldenEngine({ ...store.environment(), PATH: `${bin}:${process.env.PATH}` }, async () => {
      await store.destroy();
      rmSync(bin, { recursive: true, force: true });
    });
  }

  async load(): Promise<void> {
    const result = await this.shell(`docker load -q -i ${resolve('dist/busybox.tar')}`);
    if (result.code !== 0) throw new Error(`load: ${result.stderr}`);
  }

  shell(script: string): Promise<Result> {
    const env = { ...this.env, T: this.dir, HOST_VALUE: 'from the host' };
    return run('timeout', ['-k', '5', PATIENCE, 'sh', '-c', PRELUDE + script], { env });
  }

  async outcome(golden: GoldenCase): Promise<Outcome> {
    await this.share(golden.shared ?? '');
    const before = golden.before ? await this.shell(`set -e\n${golden.before}`) : this.sharing;
    const result = await this.shell(golden.run);
    await this.clean(`${golden.before ?? ''}\n${golden.run}`, golden.after);
    if (before.code === 0) return result;
    return { ...result, broken: `exit ${before.code}\n${before.stdout}${before.stderr}` };
  }

  private async share(script: string): Promise<void> {
    if (script === this.shared) return;
    await this.clean(this.shared);
    this.shared = script;
    this.sharing = script ? await this.shell(`set -e\n${script}`) : NOTHING;
  }

  private async clean(script: string, after = ''): Promise<void> {
    const [names, volumes] = [namesIn(script), volumesIn(script)];
    const removals = [
      ...(names.length > 0 ? [`docker rm -fv ${names.join(' ')}`] : []),
      ...(volumes.length > 0 ? [`docker volume rm -f ${volumes.join(' ')}`] : []),
    ];
    // A busy dockerd refuses now and then, and the next case would pay for it.
    for (let attempt = 0; removals.length > 0 && attempt < ATTEMPTS; attempt += 1) {
      const { stderr } = await this.shell(removals.join('\n'));
      if (stderr.split('\n').every((line) => line === '' || line.includes('No such container'))) break;
    }
    if (after) await this.shell(after);
  }

  async stop(): Promise<void> {
    rmSync(this.dir, { recursive: true, force: true });
    await this.end();
  }
}
