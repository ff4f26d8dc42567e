/** Finds the built parts of the package: the addon and the helper executable. The only place that loads a `.node` file. */
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TsrunError } from '../errors.js';
import type { Native } from './native.js';

/** Loads the addon. @throws TsrunError HOST that says what was looked for and how to mend it. */
export function loadNative(): Native {
  const file = builtFile('tsrun.node');
  const module: { exports: Partial<Native> } = { exports: {} };
  try {
    process.dlopen(module, file, constants.dlopen.RTLD_NOW);
  } catch (error) {
    throw unusable(file, error instanceof Error ? error.message : String(error), error);
  }
  return module.exports as Native;
}

/** The helper executable `tsrun-runtime`. @throws TsrunError HOST if it was not built. */
export function helperPath(): string {
  return builtFile('tsrun-runtime');
}

/** `version` of package.json. */
export function packageVersion(): string {
  const value: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  if (typeof value === 'object' && value !== null && 'version' in value && typeof value.version === 'string')
    return value.version;
  throw unusable('package.json', 'it has no version');
}

function builtFile(name: string): string {
  if (process.platform !== 'linux') {
    throw unusable(name, `tsrun runs on Linux only, this is ${process.platform}`);
  }
  const file = join(packageRoot(), 'build', 'Release', name);
  if (!existsSync(file)) throw unusable(file, 'no such file');
  return file;
}

/** From here upwards to the package.json named "tsrun": the sources, dist/lib and the bundled CLI lie at different depths. */
export function packageRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let dir = start; ; dir = dirname(dir)) {
    if (isPackageRoot(dir)) return dir;
    if (dirname(dir) === dir) break;
  }
  throw unusable(start, 'no package.json of tsrun in this directory or above it');
}

function isPackageRoot(dir: string): boolean {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
  } catch {
    return false; // none here, or somebody else's broken one
  }
  return typeof value === 'object' && value !== null && 'name' in value && value.name === 'tsrun';
}

function unusable(subject: string, why: string, cause?: unknown): TsrunError {
  const here = `${process.platform}-${process.arch}, Node ${process.version}`;
  return new TsrunError('HOST', `cannot load the native part of tsrun: ${subject}: ${why} (${here})`, {
    step: 'native.load',
    subject,
    cause,
    hint:
      'The package carries binaries for the machine it was packed on. In a clone run `npm run build:native` (it needs ' +
      'g++, make, python3, libseccomp-dev, libzstd-dev, libdeflate-dev and nlohmann-json3-dev); otherwise install tsrun ' +
      'again on this machine.',
  });
}
