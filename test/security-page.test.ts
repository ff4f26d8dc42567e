/** docs/security.md names only tests that exist, and says of which attacks it knows that their defence counts. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

const page = readFileSync('docs/security.md', 'utf8');
const named = [...page.matchAll(/\[([^\]]+)\]\(\.\.\/(test\/[^)]+)\)/g)].map(([, title = '', file = '']) => ({
  title,
  file,
}));

/** Titles as they stand in the source: quoted by any of the three quotes. */
function hasTest(file: string, title: string): boolean {
  const text = readFileSync(file, 'utf8');
  return [`'${title}'`, `"${title}"`, `\`${title}\``].some((quoted) => text.includes(quoted));
}

test('every test that docs/security.md names is there', (t) => {
  t.true(named.length > 40);
  for (const { title, file } of named) {
    t.true(existsSync(file), file);
    // A link to a file by its own name is about all of it.
    if (!file.endsWith(`/${title}`)) t.true(hasTest(file, title), `${file}: ${title}`);
  }
});

test('every attack that is mounted is on the page', (t) => {
  for (const name of readdirSync('test/e2e').filter((file) => file.startsWith('attacks'))) {
    const file = join('test/e2e', name);
    const titles = [...readFileSync(file, 'utf8').matchAll(/^test\.serial\('([^']+)'/gm)].map(
      ([, title]) => title,
    );
    t.true(titles.length > 0, file);
    for (const title of titles)
      t.true(
        named.some((each) => each.file === file && each.title === title),
        title,
      );
  }
});

test('a defence that was taken out once is said so in both places', (t) => {
  const sources = readdirSync('test/e2e').filter((file) => file.startsWith('attacks'));
  const seen = sources.flatMap((file) =>
    [
      ...readFileSync(join('test/e2e', file), 'utf8').matchAll(
        /^\/\/ Was seen to fail [^\n]*\n(?:\/\/[^\n]*\n)*test\.serial\('([^']+)'/gm,
      ),
    ].map(([, title]) => title),
  );
  t.true(seen.length >= 5);
  for (const title of seen)
    t.regex(page.slice(page.indexOf(`[${title}]`)).split('|', 1)[0] ?? '', /seen to fail/, title);
});
