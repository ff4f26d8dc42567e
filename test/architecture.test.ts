/** The rules of ARCHITECTURE.md, "Rooms", held against every import line. The table itself is read: one source. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** What every room may import, whatever its row says. */
const COMMON = ['types', 'errors.ts'];
/** Rooms that only compute: of Node they may have what touches nothing. */
const PURE = ['intent', 'plan'];
const PURE_NODE_MODULES = ['node:path', 'node:util'];

interface Room {
  name: string;
  allowed: string[];
  rule: string;
}

/** `src/plan/` -> plan, `src/index.ts` -> index.ts, `cli/` -> cli */
function roomName(cell: string): string {
  return cell
    .trim()
    .replace(/`/g, '')
    .replace(/^src\//, '')
    .replace(/\/$/, '');
}

function readRooms(): Room[] {
  const table = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8').split('\n');
  const rows = table
    .filter((line) => /^\| `(cli|src)\//.test(line))
    .map((line) => line.split('|').slice(1, -1));
  const names = rows.map(([name = '']) => roomName(name));
  return rows.map(([, , cell = ''], index) => ({
    name: names[index] ?? '',
    rule: cell.trim(),
    allowed: cell
      .replace(/\([^)]*\)/g, '')
      .split(',')
      .map(roomName)
      .flatMap((name) =>
        name === 'everything below' ? names.slice(index + 1) : [name === 'errors' ? 'errors.ts' : name],
      ),
  }));
}

function sourceFiles(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    return entry.isDirectory() ? sourceFiles(path) : entry.name.endsWith('.ts') ? [path] : [];
  });
}

/** Module specifiers of static and dynamic imports and re-exports. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const patterns = [
    /^(?:import|export|\})[^'"]*?\bfrom\s+['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]/g,
    /^import\s+['"]([^'"]+)['"]/gm,
  ];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''));
}

/** Path below src/, or below the repository for cli/: "plan/run.ts", "cli/main.ts". */
function placeOf(file: string): string {
  return relative(ROOT, file).replace(/^src\//, '');
}

function roomOf(place: string): string {
  return place.split('/')[0] ?? place;
}

function allows(rule: string, place: string): boolean {
  return place === rule || roomOf(place) === rule;
}

function violations(dir: string, rooms: Room[]): string[] {
  return sourceFiles(join(ROOT, dir)).flatMap((file) => {
    const place = placeOf(file);
    const name = roomOf(place);
    const room = rooms.find((candidate) => candidate.name === name);
    const { allowed, rule } = room ?? { allowed: [], rule: 'types, errors' };
    return importsOf(file).flatMap((specifier) => {
      if (!specifier.startsWith('.')) return outsideViolations(place, name, specifier);
      const target = placeOf(resolve(dirname(file), specifier.replace(/\.js$/, '.ts')));
      if ([name, ...COMMON, ...allowed].some((entry) => allows(entry, target))) return [];
      return [`${place} imports ${target}, but ${name} may import only: ${rule}`];
    });
  });
}

function outsideViolations(place: string, room: string, specifier: string): string[] {
  const package_ = specifier.split('/')[0];
  if (package_ === 'yargs' && room !== 'cli') return [`${place} imports yargs: it lives in cli/ alone`];
  if (PURE.includes(room) && !PURE_NODE_MODULES.includes(specifier))
    return [`${place} imports ${specifier}: ${room} is pure`];
  return [];
}

test('the table of rooms is read whole', (t) => {
  const rooms = readRooms();
  t.deepEqual(rooms.find(({ name }) => name === 'plan')?.allowed, [
    'types',
    'errors.ts',
    'intent',
    'native/launch.ts',
    'host/facts.ts',
  ]);
  t.true(rooms.find(({ name }) => name === 'engine')?.allowed.includes('store'));
  t.false(rooms.find(({ name }) => name === 'store')?.allowed.includes('engine'));
});

test('every room imports only what ARCHITECTURE.md allows', (t) => {
  const rooms = readRooms();
  const present = ['src', 'cli'].filter((dir) => readdirSync(ROOT).includes(dir));
  t.deepEqual(
    present.flatMap((dir) => violations(dir, rooms)),
    [],
  );
});

test('every room that exists has a row', (t) => {
  const named = readRooms().map(({ name }) => name);
  const rooms = readdirSync(join(ROOT, 'src')).filter((name) => !COMMON.includes(name));
  t.deepEqual(
    rooms.filter((name) => !named.includes(name)),
    [],
  );
});
