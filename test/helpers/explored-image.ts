/** An image with something to see in each of its layers, and with names and texts that attack whoever shows them. */
import { dir, file, hardLink, symlink, tar } from '../layer/tar-builder.js';
import { imageOf, type MadeImage, type MadeLayer, sha256 } from './images.js';

/** Moves the cursor, sets the clipboard and the title, and closes what HTML may have opened. */
export const EVIL =
  '\u001b[2J\u001b]52;c;ZXZpbA==\u0007\u202e</script><script>document.title="evil"</script>&<b>';

function layer(...parts: Buffer[]): MadeLayer {
  const blob = tar(...parts);
  const digest = sha256(blob);
  return { blob, digest, diffId: digest, mediaType: 'application/vnd.oci.image.layer.v1.tar' };
}

export function exploredImage(): MadeImage {
  const layers = [
    layer(
      dir('bin'),
      file('bin/tool', 't'.repeat(50_000), { mode: 0o755 }),
      hardLink('bin/other-tool', 'bin/tool'),
      dir('etc'),
      file('etc/passwd', 'root:x:0:0\n'),
      dir('var'),
      dir('var/cache'),
      file('var/cache/big', 'c'.repeat(120_000)),
      file('var/cache/small', 'c'),
      symlink('lib', 'usr/lib'),
    ),
    layer(
      dir('bin'),
      file('bin/tool', 't'.repeat(50_000), { mode: 0o4755 }),
      dir('etc'),
      file('etc/passwd', 'root:x:0:0\nredis:x:1:1\n', { mtime: 1_700_000_000 }),
    ),
    layer(dir('var'), file('var/.wh.cache')),
    layer(
      dir('odd'),
      file(Buffer.from('odd/not-utf8-\xff', 'latin1'), 'x'),
      file('odd/x', 'y', { pax: { path: `odd/${EVIL.replaceAll('/', '|')}` } }),
      file('odd/höhe-世界', 'z'),
    ),
  ];
  const at = '2026-01-02T03:04:05Z';
  return imageOf(layers, {
    config: {
      history: [
        { created: at, created_by: '/bin/sh -c #(nop) ADD file:1234 in / ' },
        { created: at, created_by: 'ENV A=1', empty_layer: true },
        { created: at, created_by: 'RUN /bin/sh -c useradd redis && chmod u+s /bin/tool # buildkit' },
        { created: at, created_by: '/bin/sh -c rm -r /var/cache' },
        { created: at, created_by: `COPY ${EVIL}`, comment: EVIL },
        { created: at, created_by: `LABEL ${EVIL}`, empty_layer: true },
      ],
    },
  });
}

/** As `docker save` writes it. */
export function archiveOf(image: MadeImage, tag: string): Buffer {
  const layers = image.layers.map(({ digest }) => `${digest.slice(7)}/layer.tar`);
  const config = `${image.id.slice(7)}.json`;
  return tar(
    ...image.layers.map(({ blob }, i) => file(layers[i] ?? '', '', { body: blob })),
    file(config, '', { body: image.config }),
    file('manifest.json', JSON.stringify([{ Config: config, RepoTags: [tag], Layers: layers }])),
  );
}
