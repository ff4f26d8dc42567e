/** Who we are to a registry. Looked up when a registry asks, and only for the host that asks. */
import { getFromHelper } from './credential-helper.js';
import {
  type Credentials,
  configFile,
  credentialsInFile,
  type Environment,
  helperOf,
  keysOf,
  readConfig,
} from './docker-config.js';

export type { Credentials, Environment } from './docker-config.js';

/** @param host "registry.example:5000" */
export async function findCredentials(host: string, env: Environment): Promise<Credentials | undefined> {
  const file = configFile(env);
  const config = file === undefined ? undefined : readConfig(file);
  if (file === undefined || config === undefined) return undefined;
  const keys = keysOf(host);
  for (const key of keys) {
    const name = helperOf(config, key);
    const found = name === undefined ? undefined : await getFromHelper(name, key, env);
    if (found !== undefined) return found;
  }
  return credentialsInFile(config, keys, file);
}
