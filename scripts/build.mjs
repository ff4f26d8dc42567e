// dist/cli.cjs: the CLI as one minified file, verbs run lazily. dist/lib: the library, bundled (no dependencies at run
// time), with its types. Each trick below was measured: start-up time is what it buys.
//   node scripts/build.mjs [--cli]      --cli: only the CLI
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
};

/** Replaces modules by cheap ones. string-width sets up ICU at import (15 ms), assert costs 4 ms. */
const slim = {
  name: 'slim',
  setup({ onResolve, onLoad }) {
    const stubs = {
      'string-width': 'export default (text) => [...String(text).replace(/\\x1b\\[[0-9;]*m/g, "")].length;',
      assert: `const fail = (m) => { throw new Error(m || 'assertion failed'); };
        export const strictEqual = (a, b, m) => { if (!Object.is(a, b)) fail(m); };
        export const notStrictEqual = (a, b, m) => { if (Object.is(a, b)) fail(m); };`,
      // yargs' own use of these (finding package.json, languages) is switched off.
      'node:module': 'export const createRequire = () => () => { throw new Error("no require here"); };',
      'escalade/sync': 'export default () => undefined;',
      'get-caller-file': 'export default () => "";',
    };
    const filter = new RegExp(`^(${Object.keys(stubs).join('|')})$`);
    onResolve({ filter }, ({ path, importer }) =>
      /node_modules\/(yargs|cliui|string-width|y18n)\//.test(importer)
        ? { path, namespace: 'slim' }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'slim' }, ({ path }) => ({ contents: stubs[path], loader: 'js' }));
  },
};

async function buildCli() {
  mkdirSync('dist', { recursive: true });
  // Compiled code of an older bundle.
  for (const name of readdirSync('dist'))
    if (/^cli\..*\.cache$/.test(name)) rmSync(join('dist', name), { force: true });
  rmSync('dist/.cache', { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: ['cli/bin.ts'],
    outfile: 'dist/cli.cjs',
    format: 'cjs',
    // A vm.Script has no import(): built-in modules are required, lazily all the same.
    supported: { 'dynamic-import': false },
    plugins: [slim],
    banner: { js: "const __tsrun_url='file://'+encodeURI(__filename).replace(/[?#]/g,encodeURIComponent);" },
    define: {
      'import.meta.url': '__tsrun_url',
      TSRUN_VERSION: JSON.stringify(version),
      // yargs asks at import, and process.stdout costs 5 ms; help sets its width itself.
      'process.stdout.columns': 'undefined',
    },
  });
}

async function buildLibrary() {
  rmSync('dist/lib', { recursive: true, force: true });
  await build({
    ...common,
    minify: false,
    entryPoints: ['src/index.ts'],
    outdir: 'dist/lib',
    format: 'esm',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    define: { TSRUN_VERSION: JSON.stringify(version) },
  });
  const args = ['tsc', '--project', 'tsconfig.lib.json'];
  const { status } = spawnSync('npx', ['--no-install', ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

await buildCli();
if (!process.argv.includes('--cli')) await buildLibrary();
