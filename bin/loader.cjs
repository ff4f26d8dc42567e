'use strict';
// Runs dist/cli.cjs with V8's compiled code from the last run: 12 to 16 ms of each start.

// Before anything else: without a listener SIGUSR1 opens the debugger's port, which is root for every local user.
process.on('SIGUSR1', () => {});

const [major, minor] = process.versions.node.split('.').map(Number);
const { readFileSync, statSync, writeFileSync, renameSync, writeSync } = require('node:fs');
if (major < 20 || (major === 20 && minor < 19)) {
  writeSync(2, `tsrun: Node ${process.versions.node} is too old; tsrun needs Node 20.19 or later\n`);
  process.exit(125);
}

const dist = `${__dirname.slice(0, __dirname.lastIndexOf('/'))}/dist`;
const file = `${dist}/cli.cjs`;
let bundle;
try {
  bundle = statSync(file);
} catch {
  writeSync(2, `tsrun: ${file} is missing\n  hint: in a clone, run \`npm run build\`\n`);
  process.exit(125);
}

const uid = process.getuid();

// What root loads from here is root's: who else could change it? Whoever called sudo has root's rights anyway.
function looseParts() {
  const callers = [0, Number(process.env.SUDO_UID ?? 0)];
  const groups = [0, Number(process.env.SUDO_GID ?? 0)];
  const root = __dirname.slice(0, __dirname.lastIndexOf('/')) || '/';
  const built = ['', '/tsrun.node', '/tsrun-runtime', '/tsrun-init'].map((name) => `/build/Release${name}`);
  const found = { foreign: undefined, open: undefined };
  for (const part of ['', '/bin', '/bin/tsrun', '/bin/loader.cjs', '/dist', '/dist/cli.cjs', ...built]) {
    const stat = statSync(root + part, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (stat.mode & 0o002) found.open ??= root + part;
    if (!callers.includes(stat.uid) || (stat.mode & 0o020 && !groups.includes(stat.gid)))
      found.foreign ??= root + part;
  }
  return found;
}

if (uid === 0 && process.env.TSRUN_TRUST_INSTALL !== '1') {
  const { foreign, open } = looseParts();
  if (open !== undefined) {
    writeSync(2, `tsrun: everybody may change ${open}, which would run as root\n`);
    writeSync(2, '  hint: chmod -R o-w it, or set TSRUN_TRUST_INSTALL=1 if nobody else is here\n');
    process.exit(125);
  }
  if (foreign !== undefined)
    writeSync(
      2,
      `WARNING: others than root may change ${foreign}, which runs as root (TSRUN_TRUST_INSTALL=1 hides this)\n`,
    );
}

// A cache is code: it is read and written only where nobody else could have put it.
const isOurs = (stat) => (stat.uid === uid || stat.uid === 0) && (stat.mode & 0o022) === 0;
const canCache = isOurs(statSync(dist)) && isOurs(bundle);

const { enableCompileCache, flushCompileCache } = require('node:module');
if (canCache && enableCompileCache && flushCompileCache) {
  enableCompileCache(`${dist}/.cache`);
  // Not left to Node's own end, which the CLI does not wait for.
  process.on('exit', () => flushCompileCache());
  require(file);
} else {
  runWithCachedData();
}

function runWithCachedData() {
  const { Script } = require('node:vm');
  // esbuild writes ASCII only: latin1 needs no decoding.
  const source = readFileSync(file, 'latin1');
  // V8 compares only the length of the source: the bundle's own date is in the name.
  const stamp = `${Math.trunc(bundle.mtimeMs)}-${bundle.size}.${process.version}-${process.arch}`;
  // One for each verb: it holds the functions that this verb ran, no fewer and no more.
  const verb = /^[a-z]{2,12}$/.exec(process.argv[2] ?? '')?.[0] ?? 'any';
  const cache = `${dist}/cli.${stamp}.${verb}.cache`;
  let cachedData;
  try {
    if (canCache && isOurs(statSync(cache))) cachedData = readFileSync(cache);
  } catch {}
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: file,
    cachedData,
  });
  if (canCache && (cachedData === undefined || script.cachedDataRejected)) {
    // At the end, so that it holds the functions that were used.
    process.on('exit', (code) => {
      // A word that is no verb leaves no file.
      if (code !== 0) return;
      try {
        const temporary = `${cache}.${process.pid}`;
        writeFileSync(temporary, script.createCachedData(), { mode: 0o644, flag: 'wx' });
        renameSync(temporary, cache);
      } catch {}
    });
  }
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, file, dist);
}
