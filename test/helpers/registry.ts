/** A real registry (Debian's docker-registry) on loopback, and images pushed to it by skopeo. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface Registry {
  /** "127.0.0.1:41234" */
  readonly host: string;
  /** Pushes an archive of rootfs-fixtures as `repository:tag`, its blobs as they are. */
  push(archive: string, reference: string, target: string): void;
  /** A folder for TSRUN_CERTS_DIR that makes this registry the mirror of docker.io. */
  readonly certsDir: string;
  /** Forgets all that was pushed. */
  wipe(): void;
  stop(): void;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with ${child.exitCode}`);
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok || response?.status === 401) return;
    await delay(20);
  }
}

/** Who may use a registry that was started with `login`. */
export const LOGIN = { username: 'me', password: 'secret' };
/** `htpasswd -nbB me secret` */
const HTPASSWD = 'me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';

export async function startRegistry(options: { login?: boolean } = {}): Promise<Registry> {
  for (;;) {
    const registry = await tryRegistry(options);
    if (registry !== undefined) return registry;
  }
}

/** Undefined if somebody else has taken the port meanwhile. */
async function tryRegistry(options: { login?: boolean }): Promise<Registry | undefined> {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-registry-'));
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const config = join(dir, 'config.yml');
  const htpasswd = join(dir, 'htpasswd');
  writeFileSync(htpasswd, HTPASSWD);
  const auth = options.login ? `auth: {htpasswd: {realm: tests, path: ${htpasswd}}}\n` : '';
  writeFileSync(
    config,
    `version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: ${join(dir, 'data')}}, delete: {enabled: true}}
http: {addr: "${host}"}
${auth}`,
  );
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text;
  });
  try {
    await answers(`http://${host}/v2/`, child);
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    if (said.includes('address already in use')) return undefined;
    throw new Error(`${(error as Error).message}\n${said}`);
  }

  const certsDir = join(dir, 'certs.d');
  mkdirSync(join(certsDir, 'docker.io'), { recursive: true });
  writeFileSync(
    join(certsDir, 'docker.io', 'hosts.toml'),
    `server = "https://registry-1.docker.io"\n\n[host."http://${host}"]\n  capabilities = ["pull", "resolve"]\n`,
  );
  return {
    host,
    certsDir,
    push: (archive, reference, target) => {
      execFileSync(
        'skopeo',
        [
          'copy',
          '--quiet',
          '--dest-tls-verify=false',
          `oci-archive:${archive}:${reference}`,
          `docker://${host}/${target}`,
        ],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      );
    },
    wipe: () => rmSync(join(dir, 'data'), { recursive: true, force: true }),
    stop: () => {
      child.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
