/** Docker's config.json: who we are to a registry. Read when a registry asks, and only for the host that asks. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, TsrunError } from '../errors.js';
import { isObject } from '../types/documents.js';

export type Credentials =
  | { kind: 'basic'; username: string; password: string }
  /** An OAuth refresh token: exchanged by POST, never put into a query. */
  | { kind: 'identity'; token: string };

export type Environment = Readonly<Record<string, string | undefined>>;

const HUB_KEY = 'https://index.docker.io/v1/';
const HUB_HOSTS = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];
const NOT_FOUND = 'credentials not found in native keychain';
const HELPER_OUTPUT_LIMIT = 1024 * 1024;

/** @param host "registry.example:5000" */
export async function findCredentials(host: string, env: Environment): Promise<Credentials | undefined> {
  const file = configFile(env);
  const config = file === undefined ? undefined : readConfig(file);
  if (file === undefined || config === undefined) return undefined;
  const keys = HUB_HOSTS.includes(host) ? [HUB_KEY, ...HUB_HOSTS] : [host];
  const helpers = isObject(config.credHelpers) ? config.credHelpers : {};
  for (const key of keys) {
    const name = helpers[key] ?? config.credsStore;
    if (typeof name !== 'string' || name === '') continue;
    const found = await askHelper(name, key, env);
    if (found !== undefined) return found;
  }
  const auths = isObject(config.auths) ? config.auths : {};
  for (const [key, entry] of Object.entries(auths))
    if (isObject(entry) && (keys.includes(key) || keys.includes(bareHost(key))))
      return credentialsIn(entry, file);
  return undefined;
}

function configFile(env: Environment): string | undefined {
  if (env.DOCKER_CONFIG) return join(env.DOCKER_CONFIG, 'config.json');
  return env.HOME ? join(env.HOME, '.docker', 'config.json') : undefined;
}

function readConfig(file: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isObject(json)) return json;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw bad(file, `cannot be read: ${errnoOf(error) ?? 'not valid JSON'}`, error);
  }
  throw bad(file, 'not a JSON object');
}

/** Keys are hosts, or URLs with a path. */
function bareHost(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

function credentialsIn(entry: Record<string, unknown>, file: string): Credentials | undefined {
  if (typeof entry.identitytoken === 'string' && entry.identitytoken !== '')
    return { kind: 'identity', token: entry.identitytoken };
  if (typeof entry.auth === 'string' && entry.auth !== '') {
    const [, username, password] =
      /^([^:]*):(.*)$/s.exec(Buffer.from(entry.auth, 'base64').toString('utf8')) ?? [];
    if (username === undefined || password === undefined)
      throw bad(file, 'an "auth" is not base64 of user:password');
    return { kind: 'basic', username, password: password.replace(/\0+$/, '') };
  }
  if (typeof entry.username === 'string' && typeof entry.password === 'string')
    return { kind: 'basic', username: entry.username, password: entry.password };
  return undefined;
}

async function askHelper(name: string, server: string, env: Environment): Promise<Credentials | undefined> {
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw bad(name, 'not a name of a credential helper');
  const program = `docker-credential-${name}`;
  const { code, output } = await runHelper(program, server, env);
  if (code !== 0) {
    if (output.includes(NOT_FOUND)) return undefined;
    throw bad(program, output.trim().slice(0, 200) || `exit code ${code}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(output);
  } catch (error) {
    throw bad(program, 'its answer is not valid JSON', error);
  }
  if (!isObject(json) || typeof json.Username !== 'string' || typeof json.Secret !== 'string')
    throw bad(program, 'its answer has no Username and Secret');
  if (json.Username === '<token>') return { kind: 'identity', token: json.Secret };
  return { kind: 'basic', username: json.Username, password: json.Secret };
}

function runHelper(
  program: string,
  server: string,
  env: Environment,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], env: { ...env } });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      if (output.length > HELPER_OUTPUT_LIMIT) child.kill('SIGKILL');
    });
    child.on('error', (error) => reject(bad(program, `cannot be started: ${errnoOf(error)}`, error)));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
    child.stdin.on('error', () => undefined); // it may answer without reading
    child.stdin.end(server);
  });
}

function bad(subject: string, message: string, cause?: unknown): TsrunError {
  return new TsrunError('REGISTRY', `${subject}: ${message}`, {
    step: 'registry.credentials',
    subject,
    cause,
  });
}
