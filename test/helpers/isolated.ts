/**
 * Runs a scenario in namespaces of its own (network, mount): it may change links, rules and mounts as it likes, and the
 * machine sees nothing of it. Each scenario is an exported function of a module, run in one process.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type Scenario = () => Promise<void>;

/** Rejects with what the scenario printed if it failed. */
export async function isolated(module: URL, name: string): Promise<void> {
  const child = spawn(
    'unshare',
    [
      '--net',
      '--mount',
      '--propagation',
      'private',
      process.execPath,
      '--import=tsx',
      fileURLToPath(import.meta.url),
      module.href,
      name,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`scenario ${name} failed (${code}):\n${output}`);
}

/** In the new process. */
async function main(module: string, name: string): Promise<void> {
  const scenarios = (await import(module)) as Record<string, Scenario | undefined>;
  const run = scenarios[name];
  if (run === undefined) throw new Error(`no scenario ${name} in ${module}`);
  await run();
}

const [, script, module, name] = process.argv;
if (script === fileURLToPath(import.meta.url) && module !== undefined && name !== undefined) {
  main(module, name).then(
    () => process.exit(0), // what a scenario leaves open must not keep it
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
}
