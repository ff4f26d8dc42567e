/** Programs that keep credentials: `docker-credential-NAME get|store|erase`, everything secret by their stdin. */
import { spawn } from 'node:child_process';
import { errnoOf, TsrunError } from '../errors.js';
import { isObject } from '../types/documents.js';
import { badConfig, type Credentials, type Environment } from './docker-config.js';

const NOT_FOUND = 'credentials not found in native keychain';
const OUTPUT_LIMIT = 1024 * 1024;
/** The user name of what is an identity token. */
const TOKEN_USER = '<token>';

/** undefined if it has none for `server`. */
export async function getFromHelper(
  name: string,
  server: string,
  env: Environment,
): Promise<Credentials | undefined> {
  const { program, code, output } = await run(name, 'get', server, env);
  if (code !== 0) {
    if (output.includes(NOT_FOUND)) return undefined;
    throw badConfig(program, output.trim().slice(0, 200) || `exit code ${code}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(output);
  } catch {
    throw badConfig(program, 'its answer is not valid JSON'); // no cause: it would quote what may be secret
  }
  if (!isObject(json) || typeof json.Username !== 'string' || typeof json.Secret !== 'string')
    throw badConfig(program, 'its answer has no Username and Secret');
  if (json.Username === TOKEN_USER) return { kind: 'identity', token: json.Secret };
  return { kind: 'basic', username: json.Username, password: json.Secret };
}

export async function storeInHelper(
  name: string,
  server: string,
  credentials: Credentials,
  env: Environment,
): Promise<void> {
  const [Username, Secret] =
    credentials.kind === 'basic'
      ? [credentials.username, credentials.password]
      : [TOKEN_USER, credentials.token];
  const input = JSON.stringify({ ServerURL: server, Username, Secret });
  const { program, code, output } = await run(name, 'store', input, env);
  if (code === 0) return;
  throw failed(
    program,
    `Error saving credentials: error storing credentials - err: exit status ${code}, out: \`${output.trim().slice(0, 200)}\``,
  );
}

/** What it does not have is no error. */
export async function eraseFromHelper(name: string, server: string, env: Environment): Promise<void> {
  const { program, code, output } = await run(name, 'erase', server, env);
  if (code === 0 || output.includes(NOT_FOUND)) return;
  throw failed(
    program,
    `error erasing credentials - err: exit status ${code}, out: \`${output.trim().slice(0, 200)}\``,
  );
}

function failed(program: string, message: string): TsrunError {
  return new TsrunError('REGISTRY', message, { step: 'registry.credentials', subject: program });
}

interface Answer {
  program: string;
  code: number;
  output: string;
}

async function run(name: string, verb: string, input: string, env: Environment): Promise<Answer> {
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw badConfig(name, 'not a name of a credential helper');
  const program = `docker-credential-${name}`;
  return await new Promise((resolve, reject) => {
    const child = spawn(program, [verb], { stdio: ['pipe', 'pipe', 'ignore'], env: { ...env } });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      if (output.length > OUTPUT_LIMIT) child.kill('SIGKILL');
    });
    child.on('error', (error) => reject(badConfig(program, `cannot be started: ${errnoOf(error)}`, error)));
    child.on('close', (code) => resolve({ program, code: code ?? 1, output }));
    child.stdin.on('error', () => undefined); // it may answer without reading
    child.stdin.end(input);
  });
}
