/** package-lock.json names every package that npm may ask for: `npm ci`, and with it ./setup, refuses one that does not. */
import { readFileSync } from 'node:fs';
import test from 'ava';

interface Locked {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

test('every dependency of every package has an entry, those for other platforms too', (t) => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const missing: string[] = [];
  for (const [path, entry] of Object.entries(packages)) {
    const wanted = { ...entry.dependencies, ...entry.devDependencies, ...entry.optionalDependencies };
    for (const name of Object.keys(wanted)) {
      if (!found(packages, path, name)) missing.push(`${path || '.'} -> ${name}`);
    }
  }
  t.deepEqual(missing, []);
});

/** As Node resolves: in the package's own node_modules, then in those of the folders above. */
function found(packages: Record<string, Locked>, path: string, name: string): boolean {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    if (packages[`${from ? `${from}/` : ''}node_modules/${name}`]) return true;
    if (from === '' || !from.includes('/node_modules/')) {
      return packages[`node_modules/${name}`] !== undefined;
    }
  }
}
