/** The rules of cp as tables: what Docker does with each form of a path. */
import test from 'ava';
import {
  archiveName,
  type CopyDestination,
  cleanPath,
  containerPath,
  keepEnding,
  planCopy,
  resolvedSource,
  splitEntry,
} from '../../src/plan/copy.js';

test('paths in a container are absolute and clean, and keep what their end says', (t) => {
  const cases: [string, string][] = [
    ['', '/'],
    ['/', '/'],
    ['a', '/a'],
    ['a/', '/a/'],
    ['/a/.', '/a/.'],
    ['.', '/.'],
    ['/a//b/../c', '/a/c'],
    ['../../etc', '/etc'],
    ['/..', '/'],
    ['a/./', '/a/./'],
    ['/a/..b', '/a/..b'],
    ['/a/b.', '/a/b.'],
  ];
  for (const [path, expected] of cases) t.is(containerPath(path), expected, path);
});

test('what an archive calls a path', (t) => {
  const cases: [string, string][] = [
    ['/a/b', 'b'],
    ['/a/b/', 'b'],
    ['/a/b/.', '.'],
    ['/', '/'],
    ['.', '.'],
    ['a/..', '/'],
  ];
  for (const [path, expected] of cases) t.is(archiveName(path), expected, path);
});

test('an entry and its directory', (t) => {
  t.deepEqual(splitEntry('/a/b'), { dir: '/a', base: 'b' });
  t.deepEqual(splitEntry('/a/b/'), { dir: '/a', base: 'b' });
  t.deepEqual(splitEntry('/a/b/.'), { dir: '/a/b', base: '.' });
  t.deepEqual(splitEntry('/'), { dir: '/', base: '/' });
  t.deepEqual(splitEntry('/.'), { dir: '/', base: '.' });
  t.deepEqual(splitEntry('/a'), { dir: '/', base: 'a' });
});

test('endings survive cleaning', (t) => {
  t.is(cleanPath('/a/./b//'), '/a/b');
  t.is(keepEnding('/a', './a/.'), '/a/.');
  t.is(keepEnding('/a', 'a/'), '/a/');
  t.is(keepEnding('/', '/.'), '/.');
  t.is(keepEnding('/a', 'a'), '/a');
});

test('a link that was followed is called what the user called it', (t) => {
  t.deepEqual(resolvedSource('/x/link', '/y/target'), { path: '/y/target', name: 'link' });
  t.deepEqual(resolvedSource('/x/same', '/y/same'), { path: '/y/same' });
  t.deepEqual(resolvedSource('/x/link/', '/y/target'), { path: '/y/target/', name: 'link' });
  t.deepEqual(resolvedSource('/x/link/.', '/y/target'), { path: '/y/target/.' });
});

const DIR = { path: '/s/d', isDirectory: true };
const CONTENT = { path: '/s/d/.', isDirectory: true };
const FILE = { path: '/s/f', isDirectory: false };
const at = (path: string, kind: CopyDestination['kind']): CopyDestination => ({ path, kind });

test('a directory as the destination takes the source in', (t) => {
  t.deepEqual(planCopy(FILE, at('/t', 'directory')), { dir: '/t', from: 'f', to: 'f' });
  t.deepEqual(planCopy(DIR, at('/t', 'directory')), { dir: '/t', from: 'd', to: 'd' });
  t.deepEqual(planCopy(CONTENT, at('/t', 'directory')), { dir: '/t', from: '', to: '' });
  const renamed = { ...FILE, name: 'link' };
  t.deepEqual(planCopy(renamed, at('/t', 'directory')), { dir: '/t', from: 'f', to: 'link' });
});

test('a destination that is missing is what the source becomes', (t) => {
  t.deepEqual(planCopy(FILE, at('/t/new', 'missing')), { dir: '/t', from: 'f', to: 'new' });
  t.deepEqual(planCopy(DIR, at('/t/new', 'missing')), { dir: '/t', from: 'd', to: 'new' });
  t.deepEqual(planCopy(DIR, at('/t/new/', 'missing')), { dir: '/t', from: 'd', to: 'new' });
  t.deepEqual(planCopy(CONTENT, at('/t/new', 'missing')), { dir: '/t', from: '', to: 'new' });
  for (const path of ['/t/new/', '/t/new/.', '.'])
    t.throws(() => planCopy(FILE, at(path, 'missing')), { message: 'no such directory' }, path);
});

test('a file as the destination is replaced by a file, never by a directory', (t) => {
  t.deepEqual(planCopy(FILE, at('/t/old', 'other')), { dir: '/t', from: 'f', to: 'old' });
  t.throws(() => planCopy(DIR, at('/t/old', 'other')), { message: 'cannot copy directory' });
});
