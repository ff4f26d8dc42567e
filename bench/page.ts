/** docs/benchmarks.md, of which each program writes its own sections. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const PAGE = 'docs/benchmarks.md';

/** The page with each of `sections` (title -> text) in place of the one of that title, or behind all others. */
export function withSections(page: string, sections: Record<string, string>): string {
  const [head = '', ...parts] = page.split(/^(?=## )/m);
  const titled = new Map(parts.map((part) => [part.slice(3, part.indexOf('\n')), `${part.trimEnd()}\n\n`]));
  for (const [title, text] of Object.entries(sections))
    titled.set(title, `## ${title}\n\n${text.trim()}\n\n`);
  return `${[head, ...titled.values()].join('').trimEnd()}\n`;
}

export function writeSections(sections: Record<string, string>, head?: string): void {
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '# Benchmarks\n\n';
  const old = page.search(/^## /m);
  const body = old < 0 ? '' : page.slice(old);
  const kept = old < 0 ? page : page.slice(0, old);
  writeFileSync(PAGE, withSections(`${head ?? kept}${body}`, sections));
}
