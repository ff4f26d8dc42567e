import { readFileSync } from 'node:fs';

/** Put in by the bundler; the sources read package.json. */
declare const TSRUN_VERSION: string | undefined;

export function version(): string {
  if (typeof TSRUN_VERSION === 'string') return TSRUN_VERSION;
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
