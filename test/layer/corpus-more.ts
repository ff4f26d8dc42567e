/** More archives made to break out of, confuse or exhaust an unpacker: links, whiteouts, and headers that say two things. */
import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import type { HostileCase } from './corpus.js';
import { dir, END, entry, file, hardLink, meta, paxHeader, symlink, tar } from './tar-builder.js';

const xattr = (name: string, value: string | Buffer) => ({ [`SCHILY.xattr.${name}`]: value });

/** `victim`: absolute path of a directory on the host, with a file `file` in it. */
export function moreCases(victim: string): HostileCase[] {
  return [...linkCases(victim), ...whiteoutCases(victim), ...headerCases(), ...streamCases()];
}

function linkCases(victim: string): HostileCase[] {
  const up = '../'.repeat(30) + victim.slice(1);
  return [
    { name: 'hard link to nothing', parts: [dir('d'), hardLink('h', 'nothing/there')], expect: 'error' },
    { name: 'hard link through ..', parts: [file('a'), hardLink('d/h', 'd/../a')], expect: 'any' },
    {
      name: 'hard link to a PAX name of the host',
      parts: [dir('d'), hardLink('h', 'x', { pax: { linkpath: `${victim}/file` } })],
      expect: 'any',
      hasNot: ['h'],
    },
    {
      name: 'a name that is replaced leaves its other names',
      parts: [file('a', 'one'), hardLink('b', 'a'), file('b', 'two')],
      expect: 'ok',
      has: ['a', 'b'],
    },
    {
      name: 'a hard link to a device',
      parts: [entry({ name: 'n', type: '3', major: 1, minor: 3 }), hardLink('m', 'n'), file('m', 'x')],
      expect: 'ok',
      has: ['m'],
    },
    {
      name: 'a link to a link to the host',
      parts: [symlink('a', 'b'), symlink('b', victim), file('a/file', 'evil')],
      expect: 'any',
    },
    {
      name: 'a link in the middle of a path',
      parts: [dir('d'), symlink('d/l', up), dir('d/l/dir', { mode: 0o777 }), file('d/l/dir/x', 'evil')],
      expect: 'any',
    },
    {
      name: 'owner and mode through a link',
      parts: [symlink('a', `${victim}/file`), file('a', 'x', { mode: 0o4777, uid: 9, gid: 9 })],
      expect: 'ok',
      has: ['a'],
    },
    {
      name: 'attributes through a link',
      parts: [symlink('a', victim), dir('a', { pax: xattr('user.evil', 'x') })],
      expect: 'ok',
    },
    {
      name: 'time of a directory that became a link',
      parts: [dir('a', { mtime: 1 }), symlink('a', victim)],
      expect: 'ok',
    },
    {
      name: 'time of a directory below one that became a link',
      parts: [dir('dir', { mtime: 1 }), dir('dir/dir', { mtime: 1 }), symlink('dir', victim)],
      expect: 'ok',
    },
    {
      name: 'FIFO through a link',
      parts: [symlink('a', victim), entry({ name: 'a/p', type: '6' })],
      expect: 'any',
    },
    {
      name: 'a link to a process',
      parts: [symlink('a', '/proc/self/root'), file(`a${victim}/file`, 'evil')],
      expect: 'any',
    },
    {
      name: 'a link to an open file',
      parts: [symlink('a', '/proc/self/fd/3'), file('a/x', 'evil')],
      expect: 'any',
    },
    {
      name: 'a link with a body',
      parts: [dir('d'), entry({ name: 'l', type: '2', link: 'x', body: 'y'.repeat(512) })],
      expect: 'error',
    },
    {
      name: 'a link to nothing at all',
      parts: [dir('d'), entry({ name: 'l', type: '2', link: '' })],
      expect: 'error',
    },
    {
      name: 'a link of 4,096 bytes',
      parts: [dir('d'), meta('K', Buffer.from(`${'l'.repeat(4096)}\0`)), symlink('l', 'x')],
      expect: 'error',
    },
    {
      name: 'a chain of 41 links',
      parts: [
        dir('end'),
        ...Array.from({ length: 41 }, (_, i) => symlink(`l${i}`, i === 0 ? 'end' : `l${i - 1}`)),
        file('l40/x', 'evil'),
      ],
      expect: 'error',
    },
  ];
}

function whiteoutCases(victim: string): HostileCase[] {
  return [
    { name: 'whiteout of a link takes the link', parts: [symlink('a', victim), file('.wh.a')], expect: 'ok' },
    { name: 'whiteout with slashes', parts: [dir('d'), file('d/.wh.x/../../y')], expect: 'any' },
    {
      name: 'whiteout that is a directory',
      parts: [dir('d'), dir('d/.wh.x')],
      expect: 'any',
      hasNot: ['d/.wh.x'],
    },
    {
      name: 'whiteout that is a link',
      parts: [dir('d'), symlink('d/.wh.x', victim)],
      expect: 'any',
      hasNot: ['d/.wh.x'],
    },
    { name: 'whiteout of an opaque mark', parts: [dir('d'), file('d/.wh..wh..wh..opq')], expect: 'any' },
    { name: 'opaque root', parts: [file('a', 'x'), file('.wh..wh..opq')], expect: 'ok', has: ['a'] },
    { name: 'opaque through ..', parts: [dir('d'), file('d/../.wh..wh..opq')], expect: 'ok' },
    { name: 'opaque mark of a file', parts: [file('f', 'x'), file('f/.wh..wh..opq')], expect: 'error' },
    {
      name: 'whiteout of 255 bytes',
      parts: [dir('d'), file('x', '', { pax: { path: `.wh.${'n'.repeat(251)}` } })],
      expect: 'ok',
    },
    {
      name: 'whiteout and the name itself',
      parts: [file('.wh.a'), file('a', 'x')],
      expect: 'ok',
      has: ['a'],
    },
    {
      name: 'hard link to a whiteout',
      parts: [dir('d'), file('d/.wh.x'), hardLink('h', 'd/.wh.x')],
      expect: 'any',
    },
  ];
}

function headerCases(): HostileCase[] {
  return [
    {
      name: 'PAX path through ..',
      parts: [dir('d'), file('x', 'evil', { pax: { path: '../../x' } })],
      expect: 'error',
    },
    {
      name: 'PAX path of 4,096 bytes',
      parts: [dir('d'), file('x', '', { pax: { path: `${'d/'.repeat(2047)}ff` } })],
      expect: 'error',
    },
    {
      name: 'PAX path with a newline',
      parts: [file('x', '', { pax: { path: 'a\nb' } })],
      expect: 'ok',
      has: ['a\nb'],
    },
    {
      name: 'a file whose name ends in a slash',
      parts: [file('d/'), file('d/x')],
      expect: 'ok',
      has: ['d/x'],
    },
    { name: 'a file with a slash and a body', parts: [dir('x'), file('d/', 'evil')], expect: 'error' },
    {
      name: 'old format without magic',
      parts: [entry({ name: 'v7', type: '\0', patches: [[257, Buffer.alloc(8)]] })],
      expect: 'ok',
      has: ['v7'],
    },
    {
      name: 'contiguous file',
      parts: [entry({ name: 'c', type: '7', body: 'x' })],
      expect: 'ok',
      has: ['c'],
    },
    { name: 'prefix and name', parts: [file('x', '', { patches: [[345, '../..']] })], expect: 'error' },
    {
      name: 'digits and rubbish in a size',
      parts: [dir('d'), file('a', 'x', { patches: [[124, '1zzzzzzzzzz\0']] })],
      expect: 'error',
    },
    { name: 'no digits in a mode', parts: [file('a', 'x', { patches: [[100, '        ']] })], expect: 'any' },
    { name: 'bits beyond a mode', parts: [file('a', 'x', { patches: [[100, '7777777\0']] })], expect: 'any' },
    {
      name: 'a body of one block too many',
      parts: [dir('d'), entry({ name: 'f', type: '6', body: 'x' })],
      expect: 'error',
    },
    {
      name: 'device numbers that are too large',
      parts: [dir('d'), entry({ name: 'b', type: '4', major: 0o7777777, minor: 0o7777777 })],
      expect: 'any',
    },
    {
      name: 'attribute with an empty name',
      parts: [dir('d'), file('a', '', { pax: xattr('', 'x') })],
      expect: 'error',
    },
    {
      name: 'attribute with NULs in its value',
      parts: [file('a', '', { pax: xattr('user.a', 'x\0y') })],
      expect: 'ok',
      has: ['a'],
    },
    {
      name: 'attribute of 70,000 bytes',
      parts: [dir('d'), file('a', '', { pax: xattr('user.a', 'x'.repeat(70_000)) })],
      expect: 'error',
    },
    {
      name: 'capability of the wrong size',
      parts: [dir('d'), file('a', '', { pax: xattr('security.capability', 'x') })],
      expect: 'error',
    },
    {
      name: 'a label of the host',
      parts: [file('a', '', { pax: xattr('security.selinux', 'system_u:object_r:shadow_t:s0') })],
      expect: 'ok',
      has: ['a'],
    },
    {
      name: 'two PAX headers',
      parts: [dir('d'), paxHeader({ path: 'one' }), paxHeader({ path: 'two' }), file('a')],
      expect: 'any',
    },
    {
      name: 'PAX header with a link name',
      parts: [dir('d'), paxHeader({ linkpath: '/etc' }), file('a')],
      expect: 'any',
    },
    {
      name: 'a long name without a member',
      parts: [dir('d'), meta('L', Buffer.from('name\0'))],
      expect: 'error',
    },
    {
      name: 'a long name without an end',
      parts: [dir('d'), meta('L', Buffer.from('name')), file('a')],
      expect: 'any',
    },
    {
      name: 'GNU dump directory',
      parts: [dir('d'), entry({ name: 'D', type: 'D', body: 'Yx\0\0' })],
      expect: 'error',
    },
    {
      name: 'multi-volume rest',
      parts: [dir('d'), entry({ name: 'M', type: 'M', body: 'x' })],
      expect: 'error',
    },
    {
      name: 'sparse file of 8 EiB',
      parts: [
        dir('d'),
        file('a', '1\n9223372036854775000\n1\n'.padEnd(513, 'x'), {
          pax: {
            'GNU.sparse.major': '1',
            'GNU.sparse.minor': '0',
            'GNU.sparse.realsize': '9223372036854775807',
          },
        }),
      ],
      expect: 'error',
    },
    {
      name: 'sparse map of offsets alone',
      parts: [dir('d'), file('a', 'x', { pax: { 'GNU.sparse.offset': '1', 'GNU.sparse.size': '2' } })],
      expect: 'error',
    },
  ];
}

function streamCases(): HostileCase[] {
  const good = tar(dir('d'), file('d/x', 'content'));
  const zstd = spawnSync('zstd', ['-q', '-c'], { input: good }).stdout;
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const one = (name: string, archive: Buffer, expect: HostileCase['expect'], has?: string[]) => ({
    name,
    parts: [],
    archive,
    expect,
    has,
  });
  return [
    one('zstd between skippable frames', Buffer.concat([skippable, zstd, skippable]), 'ok', ['d/x']),
    one('two zstd frames', Buffer.concat([zstd, zstd]), 'ok', ['d/x']),
    one('zstd cut short', zstd.subarray(0, zstd.length - 3), 'error'),
    one('zstd with a window of 2 GiB', Buffer.from('28b52ffd00a8010000', 'hex'), 'error'),
    one('gzip in gzip', gzipSync(gzipSync(good)), 'error'),
    one(
      'gzip with reserved flags',
      Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0xe0]), gzipSync(good).subarray(4)]),
      'error',
    ),
    one('half an end marker', Buffer.concat([dir('d'), END.subarray(0, 512)]), 'ok', ['d']),
    one('one byte', Buffer.from([0]), 'any'),
    one('one block of zeros', Buffer.alloc(512), 'any'),
    one('300 blocks of zeros', Buffer.alloc(300 * 512), 'ok'),
  ];
}
