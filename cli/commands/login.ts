import { TsrunError } from '../../src/errors.js';
import type { Engine, LoginResult } from '../../src/types/engine.js';
import { type Cli, defineCommand } from '../command.js';
import { readAll, readLine, readSecret } from '../prompt.js';
import { escapeControls } from '../render/escape.js';
import { cancelOnSignal } from '../terminal.js';
import { UsageError } from '../usage.js';

export const command = defineCommand({
  usage: '[OPTIONS] [SERVER]',
  flags: [
    { name: 'username', short: 'u', kind: 'string', help: 'Username' },
    { name: 'password', short: 'p', kind: 'string', help: 'Password or Personal Access Token (PAT)' },
    {
      name: 'password-stdin',
      kind: 'bool',
      help: 'Take the Password or Personal Access Token (PAT) from stdin',
    },
  ],
  min: 0,
  max: 1,
  examples: [
    ['tsrun login localhost:5000', 'Asks for name and password'],
    ['pass show registry | tsrun login -u me --password-stdin reg.example', 'From a script'],
  ],
  async run(cli, flags, [registry]) {
    const { username, password } = flags;
    if (password && flags['password-stdin'])
      throw refusal('conflicting options: cannot specify both --password and --password-stdin');
    if (password) cli.err('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
    if (flags['password-stdin'] && !username)
      throw refusal('the --password-stdin option requires --username to be set');
    const typed = flags['password-stdin'] ? readAll().replace(/\r?\n$/, '') : password;
    const engine = await cli.engine();
    const request: Request = { engine, registry, username, password: typed };
    const result =
      (!username && !typed ? await withStored(cli, request) : undefined) ?? (await withTyped(cli, request));
    if (result.storedIn !== undefined) cli.err(unencrypted(result.storedIn));
    cli.out('Login Succeeded\n');
    return 0;
  },
});

interface Request {
  engine: Engine;
  registry: string | undefined;
  username: string | undefined;
  password: string | undefined;
}

/** undefined: there are none, or they are none any more. */
async function withStored(cli: Cli, { engine, registry }: Request): Promise<LoginResult | undefined> {
  let found = false;
  try {
    return await engine.login({
      registry,
      onStored: (username) => {
        found = true;
        cli.err(`Authenticating with existing credentials... [Username: ${escapeControls(username)}]\n`);
      },
    });
  } catch (error) {
    if (!(error instanceof TsrunError) || (error.code !== 'REGISTRY_DENIED' && error.code !== 'NOT_FOUND'))
      throw error;
    if (found) cli.err(`Login did not succeed, error: ${escapeControls(error.message)}\n`);
    return undefined;
  }
}

async function withTyped(cli: Cli, request: Request): Promise<LoginResult> {
  const { engine, registry } = request;
  if (!request.password && !cli.isTty(0))
    throw refusal('Cannot perform an interactive login from a non TTY device');
  const username = request.username || asked(cli);
  const password = request.password || readSecret(cli, engine.terminal, 'Password: ');
  if (password === '') throw refusal('password is empty');
  const cancel = cancelOnSignal();
  try {
    return await engine.login({ registry, username, password, signal: cancel.signal });
  } finally {
    cancel.done();
  }
}

function asked(cli: Cli): string {
  cli.out('Username: ');
  const username = readLine().trim();
  if (username === '') throw refusal('username is empty');
  return username;
}

function unencrypted(file: string): string {
  return `
WARNING! Your credentials are stored unencrypted in '${escapeControls(file)}'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/

`;
}

function refusal(message: string): UsageError {
  return new UsageError(`tsrun: ${message}`, 1, { usage: false });
}
