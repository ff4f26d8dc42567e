/** One HTML page that shows an image's layers: everything is in it, and it loads nothing. */
import { createHash } from 'node:crypto';
import type { ImageExploration } from '../../src/types/explore.js';
import { pageData } from './page-data.js';
import { SCRIPT } from './page-script.js';
import { STYLE } from './page-style.js';
import { TREE_SCRIPT } from './page-tree.js';

export function pageOf(image: ImageExploration, reference: string): string {
  const data = pageData(image, reference);
  const script = `'use strict';(() => {${TREE_SCRIPT}\n${SCRIPT}})();`;
  // Whatever an image managed to get into the page: only these two texts run or style, and nothing is fetched.
  const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(STYLE)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(data.name)}: layers</title>
<style>${STYLE}</style>
</head>
<body>
<noscript>This page draws itself: it needs JavaScript, and loads nothing from anywhere.</noscript>
<div id="app"></div>
<script type="application/json" id="data">${embed(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** JSON that no HTML parser takes for the end of its element. */
function embed(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
