/** Shows credentials to a registry, before anybody keeps them. */
import { STATUS_CODES } from 'node:http';
import { TsrunError } from '../errors.js';
import type { ClientOptions } from './client.js';
import { Connection, drop } from './connection.js';
import type { Credentials } from './credentials.js';
import { registryHosts } from './hosts.js';
import { StatusError } from './status.js';

/**
 * Resolves with what is to be kept: an identity token if the registry gives one, else `credentials`. Mirrors are not asked:
 * they have credentials of their own.
 * @param domain of references: "docker.io", "localhost:5000"
 * @throws TsrunError REGISTRY_DENIED if the registry does not accept them, REGISTRY if it does not answer
 */
export async function verifyCredentials(
  domain: string,
  credentials: Credentials,
  options: ClientOptions,
  signal?: AbortSignal,
): Promise<Credentials> {
  const host = (await registryHosts(options.certsDir, domain)).at(-1);
  if (host === undefined) throw new TypeError('a registry has at least one host');
  const connection = new Connection(undefined, options, 'pull', credentials);
  try {
    drop(await connection.send(host, { method: 'GET', at: '' }, signal));
  } catch (error) {
    throw error instanceof StatusError ? refused(connection.addressOf(host), error) : error;
  } finally {
    connection.close();
  }
  const { identityToken: token } = connection;
  if (token === undefined) return credentials;
  const username = credentials.username;
  return { kind: 'identity', token, username };
}

function refused(url: string, error: StatusError): TsrunError {
  const { status, code, subject } = error;
  return new TsrunError(
    code,
    `login attempt to ${url}/ failed with status: ${status} ${STATUS_CODES[status] ?? ''}`.trim(),
    {
      step: 'registry.login',
      subject,
      hint: status === 404 ? `${subject} is no registry` : undefined,
      cause: error,
    },
  );
}
