// clang-format over every C++ file of the project: --check fails on a difference, --write applies it.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const files = readdirSync('native', { recursive: true })
  .filter((name) => /\.(cc|h)$/.test(name))
  .map((name) => join('native', name));
const mode = process.argv[2] === '--write' ? ['-i'] : ['--dry-run', '--Werror'];
const { status } = spawnSync('npx', ['--no-install', 'clang-format', ...mode, ...files], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
