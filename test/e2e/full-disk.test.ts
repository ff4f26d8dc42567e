/** A disk that is full: what a failed pull fetched does not stay in the way, for no image bears its name. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { run, TSRUN } from '../helpers/cli.js';
import { imageOf, layerOf, pushImage } from '../helpers/images.js';
import { startRegistry } from '../helpers/registry.js';

test('a pull that does not fit leaves no blob and no layer', async (t) => {
  const registry = await startRegistry();
  t.teardown(() => registry.stop());
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-full-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const small = layerOf([{ path: 'small', content: 'fits' }]);
  const large = layerOf([{ path: 'large', content: 'x'.repeat(16 << 20) }]);
  await pushImage(registry.host, 'large', '1', imageOf([small, large]));
  // The disk is mounted in a mount namespace that ends with the script.
  const script = `mount -t tmpfs -o size=8m none "$1" && export TSRUN_ROOT="$1/root"
    "$2" pull "$3"; echo "exit $?"; ls "$TSRUN_ROOT/oci/blobs/sha256" "$TSRUN_ROOT/trash"
    ls "$TSRUN_ROOT/layers" | grep -v init-v1`;
  const image = `${registry.host}/large:1`;
  const { stdout, stderr } = await run('unshare', ['-m', 'sh', '-c', script, 'sh', dir, TSRUN, image]);
  t.regex(stderr, /no space left on device/);
  const after = stdout.slice(stdout.indexOf('exit '));
  t.regex(after, /^exit 1\n\S+\/blobs\/sha256:\n\n\S+\/trash:\n$/);
});
