/**
 * docs/demo.svg: what a real terminal showed while tsrun was used in it.
 *   npx tsx scripts/picture.ts        (as root; a registry on loopback stands for Docker Hub)
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ubuntuArchive } from '../rootfs-fixtures/debian.js';
import { Store } from '../test/helpers/cli.js';
import { startRegistry } from '../test/helpers/registry.js';
import { Terminal } from '../test/helpers/terminal.js';

const COLS = 112;
const ROWS = 34;
const CELL = { width: 8.43, height: 18 };

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The lines of a screen as an SVG picture of a terminal. */
function draw(lines: string[]): string {
  const width = Math.ceil(COLS * CELL.width + 32);
  const height = lines.length * CELL.height + 56;
  const rows = lines.map((line, index) => {
    const prompt = /^(host#|root@\w+:\S*#)/.exec(line)?.[0] ?? '';
    const y = 52 + index * CELL.height;
    const head = prompt ? `<tspan fill="#7ee787">${escapeXml(prompt)}</tspan>` : '';
    return `<text x="16" y="${y}" xml:space="preserve">${head}${escapeXml(line.slice(prompt.length))}</text>`;
  });
  const dots = ['#ff5f56', '#ffbd2e', '#27c93f'].map(
    (fill, i) => `<circle cx="${22 + i * 20}" cy="20" r="6" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${dots.join('\n')}
<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14" fill="#e6edf3">
${rows.join('\n')}
</g>
</svg>
`;
}

const registry = await startRegistry();
registry.push(ubuntuArchive(), 'docker.io/library/ubuntu:latest', 'library/ubuntu:latest');
const store = new Store({ TSRUN_CERTS_DIR: registry.certsDir });
const path = `${resolve('bin')}:${process.env.PATH}`;
// bash, since dash as root takes no prompt from the environment; env, since tmux keeps PATH and loses PS1.
const shell = `env 'PATH=${path}' 'PS1=host# ' bash --norc --noprofile`;
const terminal = new Terminal(shell, {
  env: { ...store.environment(), PS1: 'host# ' },
  cols: COLS,
  rows: ROWS,
});

async function type(command: string, until: RegExp): Promise<void> {
  terminal.type(command);
  terminal.press('Enter');
  await terminal.waitFor(until);
}

try {
  await terminal.waitFor(/^host# $/m);
  await type('tsrun run -it --name work ubuntu /bin/bash', /root@\w+:\/# $/m);
  await type(
    '. /etc/os-release; echo "$PRETTY_NAME, Linux $(uname -r | cut -d- -f1)" | tee /hello',
    /^Debian.*Linux \d/m,
  );
  await type('exit', /\nhost# $/m);
  await type('tsrun diff work', /A \/hello/);
  await type("tsrun commit -m 'add hello' -a me work test/hello:latest", /^sha256:[0-9a-f]{64}$/m);
  await type('tsrun history test/hello', /CREATED BY[\s\S]*mmdebstrap[\s\S]*\nhost# $/m);
  await type('tsrun run --rm test/hello cat /hello', /Debian.*\nhost# $/m);
  const lines = terminal
    .screen()
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().slice(0, COLS));
  writeFileSync('docs/demo.svg', draw(lines));
} finally {
  terminal.end();
  await store.destroy();
  registry.stop();
}
