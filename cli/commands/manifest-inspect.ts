import type { RemoteManifest } from '../../src/types/engine.js';
import { defineCommand } from '../command.js';
import { escapeForText } from '../render/escape.js';
import { cancelOnSignal } from '../terminal.js';

export const command = defineCommand({
  usage: '[OPTIONS] MANIFEST',
  flags: [
    {
      name: 'verbose',
      short: 'v',
      kind: 'bool',
      help: 'Output additional info including layers and platform',
    },
  ],
  min: 1,
  max: 1,
  examples: [
    ['tsrun manifest inspect redis:7', 'What the registry has under that name, for which platforms'],
  ],
  async run(cli, { verbose }, [name = '']) {
    const engine = await cli.engine();
    const cancel = cancelOnSignal();
    try {
      const { bytes, isIndex, manifests } = await engine.inspectManifest(name, {
        details: verbose,
        signal: cancel.signal,
      });
      const described = manifests.map(detailsOf);
      const [only] = described;
      const text = !verbose
        ? JSON.stringify(parsed(bytes), undefined, isIndex ? 3 : '\t')
        : JSON.stringify(isIndex ? described : only, undefined, '\t');
      cli.out(`${cli.isTty(1) ? escapeForText(text) : text}\n`);
    } finally {
      cancel.done();
    }
    return 0;
  },
});

function detailsOf({ reference, descriptor, bytes }: RemoteManifest): object {
  const { mediaType, digest, size, platform } = descriptor;
  const kind = mediaType.includes('docker') ? 'SchemaV2Manifest' : 'OCIManifest';
  return {
    Ref: reference,
    Descriptor: { mediaType, digest, size, ...(platform ? { platform } : {}) },
    Raw: Buffer.from(bytes).toString('base64'),
    [kind]: parsed(bytes),
  };
}

function parsed(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString('utf8'));
}
