/** `login` and `logout`: who we are to a registry, kept where Docker and its tools look for it too. */
import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { TsrunError } from '../errors.js';
import { eraseFromHelper, storeInHelper } from '../registry/credential-helper.js';
import { type Credentials, findCredentials } from '../registry/credentials.js';
import {
  bareHost,
  configFile,
  type DockerConfig,
  HUB_KEY,
  helperOf,
  keysOf,
  type LoginServer,
  loginServer,
  readConfig,
  withCredentials,
  withoutCredentials,
} from '../registry/docker-config.js';
import { systemError, writeFileAtomic } from '../store/atomic.js';
import type { LoginOptions, LoginResult, LogoutResult } from '../types/engine.js';
import type { RegistryContext } from './image-context.js';

/** @see Engine.login */
export async function login(context: RegistryContext, options: LoginOptions): Promise<LoginResult> {
  const server = loginServer(options.registry);
  const file = requireConfigFile(context);
  const given = givenCredentials(options);
  const shown = given ?? (await storedCredentials(context, server));
  if (given === undefined) options.onStored?.(shown.username);
  // The HTTP stack takes a tenth of a second to load: what is wrong is told before.
  const { verifyCredentials } = await import('../registry/login.js');
  let kept: Credentials;
  try {
    kept = await verifyCredentials(server.domain, shown, context, options.signal);
  } catch (cause) {
    if (!options.signal?.aborted) throw cause;
    throw new TsrunError('CANCELLED', 'login canceled', { step: 'registry.login', cause });
  }
  const config = readConfig(file) ?? {};
  const helper = helperOf(config, server.key);
  if (helper !== undefined) await storeInHelper(helper, server.key, kept, context.env);
  const next = withCredentials(config, server.key, helper === undefined ? kept : undefined);
  if (isDeepStrictEqual(next, config)) return { username: shown.username };
  await writeConfig(file, next);
  const inPlainText = helper === undefined && kept.kind === 'basic';
  return { username: shown.username, ...(inPlainText ? { storedIn: file } : {}) };
}

type Basic = Extract<Credentials, { kind: 'basic' }>;

function givenCredentials({ username, password, registry }: LoginOptions): Basic | undefined {
  if (username === undefined && password === undefined) return undefined;
  const refuse = (message: string) =>
    new TsrunError('USAGE', message, { step: 'registry.login', subject: registry });
  if (!username) throw refuse('username is empty');
  if (!password) throw refuse('password is empty');
  // Basic authentication and config.json end the name at the first colon.
  if (username.includes(':')) throw refuse('a user name with a colon cannot be sent to a registry');
  return { kind: 'basic', username, password };
}

async function storedCredentials({ env }: RegistryContext, { domain, key }: LoginServer): Promise<Basic> {
  const found = await findCredentials(domain, env);
  if (found?.kind === 'basic') return found;
  throw new TsrunError('NOT_FOUND', `no credentials are stored for ${bareHost(key)}`, {
    step: 'registry.login',
    subject: key,
  });
}

/** @see Engine.logout */
export async function logout(context: RegistryContext, registry?: string): Promise<LogoutResult> {
  const { key, domain } = loginServer(registry);
  const file = requireConfigFile(context);
  const config = readConfig(file);
  const failures: string[] = [];
  if (config !== undefined) {
    const keys = key === HUB_KEY ? [key] : [key, `http://${key}`, `https://${key}`];
    const helper = helperOf(config, key);
    if (helper !== undefined) failures.push(...(await eraseAll(context, helper, keys)));
    const without = withoutCredentials(config, keysOf(domain));
    if (without !== config) await writeConfig(file, without);
  }
  return { registry: key, failures };
}

/** What one of several names of a registry can be erased under is erased: failures count when all of them failed. */
async function eraseAll(
  { env }: RegistryContext,
  helper: string,
  keys: readonly string[],
): Promise<string[]> {
  const failures: string[] = [];
  for (const key of keys) {
    try {
      await eraseFromHelper(helper, key, env);
    } catch (error) {
      failures.push(`${key}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failures.length === keys.length ? failures : [];
}

function requireConfigFile({ env }: RegistryContext): string {
  const file = configFile(env);
  if (file !== undefined) return file;
  throw new TsrunError('HOST', 'there is no place for credentials: neither DOCKER_CONFIG nor HOME is set', {
    step: 'registry.login',
  });
}

/** Where the file is a link, what it leads to is replaced; its owner stays. */
async function writeConfig(file: string, config: DockerConfig): Promise<void> {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const there = statSync(file, { throwIfNoEntry: false });
    await writeFileAtomic(
      there === undefined ? file : realpathSync(file),
      JSON.stringify(config, undefined, '\t'),
      { owner: there && { uid: there.uid, gid: there.gid } },
    );
  } catch (error) {
    throw systemError('registry.login', file, error);
  }
}
