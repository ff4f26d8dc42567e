/** Archives made to break out of, confuse or exhaust an unpacker. */
import { gzipSync } from 'node:zlib';
import { moreCases } from './corpus-more.js';
import { dir, END, entry, file, hardLink, meta, paxHeader, paxRecord, symlink, tar } from './tar-builder.js';

export interface HostileCase {
  name: string;
  /** Entries; the harness also applies them as two layers, cut after the first `cut` (default: half). */
  parts: Buffer[];
  /** The whole archive, if it is not just the parts and an end marker. */
  archive?: Buffer;
  /** 'ok', 'error', or 'any': only the victim counts. */
  expect: 'ok' | 'error' | 'any';
  /** Names that must be there, below the target. */
  has?: string[];
  hasNot?: string[];
}

const LONG = 'n'.repeat(255);
const DEEP = `${Array.from({ length: 1100 }, () => 'd').join('/')}/f`;
const longName = (name: string, type = 'L') => meta(type, Buffer.from(`${name}\0`));
const base256 = (bytes: number[]) => Buffer.from(bytes);
const sparseS = (patches: [number, string | Buffer][], body = 'xxxx') =>
  entry({
    name: 'sparse',
    type: 'S',
    body,
    patches: [[257, 'ustar  \0'], [345, Buffer.alloc(155)], ...patches],
  });

/** `victim`: absolute path of a directory on the host, with a file `file` in it. */
export function hostileCases(victim: string): HostileCase[] {
  const v = victim.slice(1);
  const up = '../'.repeat(30);
  const cases: HostileCase[] = [
    { name: 'absolute name', parts: [dir('d'), file(`${victim}/file`, 'evil')], expect: 'any' },
    { name: '../x', parts: [dir('d'), file('../x', 'evil')], expect: 'error' },
    { name: 'deep ../', parts: [dir('d'), file(`${up}${v}/file`, 'evil')], expect: 'error' },
    { name: 'a/../../x', parts: [dir('a'), file('a/../../x', 'evil')], expect: 'error' },
    { name: 'a/../b stays', parts: [dir('a'), file('a/../b', 'fine')], expect: 'ok', has: ['b'] },
    { name: './', parts: [dir('./', { mode: 0o700 }), file('./x')], expect: 'ok', has: ['x'] },
    { name: 'root as a file', parts: [dir('d'), file('.', 'evil')], expect: 'error' },
    { name: 'root as a link', parts: [dir('d'), symlink('/.', victim)], expect: 'error' },
    { name: 'empty name', parts: [dir('d'), file('')], expect: 'error' },
    {
      name: '255 bytes',
      parts: [dir('d'), file(LONG, '', { pax: { path: LONG } })],
      expect: 'ok',
      has: [LONG],
    },
    { name: '256 bytes', parts: [dir('d'), longName(`${LONG}n`), file('x')], expect: 'error' },
    { name: '4,097 bytes', parts: [dir('d'), longName('a/'.repeat(2100)), file('x')], expect: 'error' },
    { name: '1,100 levels', parts: [dir('d'), longName(DEEP), file('x')], expect: 'error' },
    {
      name: 'link to host, then through it',
      parts: [symlink('a', victim), file('a/file', 'evil')],
      expect: 'any',
    },
    {
      name: 'relative link up, then through it',
      parts: [symlink('a', `${up}${v}`), file('a/file', 'evil')],
      expect: 'any',
    },
    {
      name: 'chain of ..',
      parts: [symlink('a', '..'), symlink('a/b', '..'), symlink('a/b/c', victim), file('a/b/c/file', 'evil')],
      expect: 'any',
    },
    {
      name: 'link loop',
      parts: [symlink('a', 'b'), symlink('b', 'a'), file('a/x', 'evil')],
      expect: 'error',
    },
    { name: 'link to itself', parts: [symlink('a', 'a'), file('a/x', 'evil')], expect: 'error' },
    { name: 'hard link to ../', parts: [dir('d'), hardLink('h', `${up}${v}/file`)], expect: 'error' },
    {
      name: 'hard link to host',
      parts: [dir('d'), hardLink('h', `${victim}/file`), file('h', 'evil')],
      expect: 'any',
    },
    {
      name: 'hard link through a link',
      parts: [symlink('a', victim), hardLink('h', 'a/file')],
      expect: 'any',
      hasNot: ['h'],
    },
    {
      name: 'hard link to a link, then write',
      parts: [symlink('a', `${victim}/file`), hardLink('h', 'a'), file('h', 'evil')],
      expect: 'ok',
    },
    {
      name: 'hard link to a later entry',
      parts: [dir('d'), hardLink('h', 'later'), file('later')],
      expect: 'any',
    },
    { name: 'hard link to a directory', parts: [dir('d'), hardLink('h', 'd')], expect: 'error' },
    { name: 'hard link to the root', parts: [dir('d'), hardLink('h', '.')], expect: 'error' },
    { name: 'hard link to itself', parts: [file('a', 'x'), hardLink('a', 'a')], expect: 'ok', has: ['a'] },
    {
      name: 'hard link with a body',
      parts: [file('a', 'x'), hardLink('b', 'a', { pax: { size: '512' }, body: 'y'.repeat(512) })],
      expect: 'error',
    },
    {
      name: 'directory becomes a link and back',
      parts: [dir('a'), file('a/x'), symlink('a', victim), file('a/file', 'evil'), dir('a'), file('a/z')],
      expect: 'any',
    },
    {
      name: 'file over a full directory',
      parts: [dir('a'), dir('a/b'), file('a/b/c'), file('a', 'now a file')],
      expect: 'ok',
      hasNot: ['a/b'],
    },
    {
      name: 'directory over a link',
      parts: [symlink('a', victim), dir('a', { mode: 0o777 }), file('a/file', 'evil')],
      expect: 'ok',
      has: ['a/file'],
    },
    { name: 'file below a file', parts: [file('a', 'x'), file('a/b', 'y')], expect: 'error' },
    { name: 'whiteout of .', parts: [dir('d'), file('.wh..')], expect: 'error' },
    { name: 'whiteout of ..', parts: [dir('d'), file('d/.wh...')], expect: 'error' },
    { name: 'bare .wh.', parts: [dir('d'), file('d/.wh.')], expect: 'error' },
    { name: 'whiteout through a link', parts: [symlink('a', victim), file('a/.wh.file')], expect: 'any' },
    { name: 'opaque through a link', parts: [symlink('a', victim), file('a/.wh..wh..opq')], expect: 'any' },
    {
      name: 'whiteout of the parent',
      parts: [dir('d'), file('d/x'), file('.wh.d')],
      expect: 'ok',
      has: ['d/x'],
    },
    { name: 'entry below a whiteout', parts: [dir('d'), file('.wh.d/x')], expect: 'error' },
    {
      name: 'aufs plink',
      parts: [dir('.wh..wh.plnk'), file('.wh..wh.plnk/1.2', 'x'), file('.wh..wh.aufs')],
      expect: 'ok',
      hasNot: ['.wh..wh.plnk'],
    },
    { name: 'char 0:0', parts: [dir('d'), entry({ name: 'd/x', type: '3' })], expect: 'error' },
    {
      name: 'block 254:0',
      parts: [dir('d'), entry({ name: 'd/x', type: '4', major: 254, mode: 0o666 })],
      expect: 'ok',
      has: ['d/x'],
    },
    {
      name: 'write through a device',
      parts: [entry({ name: 'null', type: '3', major: 1, minor: 3 }), file('null', 'x')],
      expect: 'ok',
    },
    {
      name: 'FIFO replaced',
      parts: [entry({ name: 'f', type: '6' }), file('f', 'x')],
      expect: 'ok',
      has: ['f'],
    },
    { name: 'unknown type', parts: [dir('d'), entry({ name: 's', type: 's' })], expect: 'error' },
    {
      name: 'setuid and capability',
      parts: [
        file('ping', 'x', {
          mode: 0o4755,
          uid: 5,
          pax: {
            'SCHILY.xattr.security.capability': Buffer.from(
              '0100000200200000000000000000000000000000',
              'hex',
            ),
          },
        }),
      ],
      expect: 'ok',
      has: ['ping'],
    },
    {
      name: 'smuggled overlay attributes',
      parts: [
        dir('d', {
          pax: {
            'SCHILY.xattr.trusted.overlay.opaque': 'y',
            'SCHILY.xattr.trusted.overlay.redirect': '/etc',
            'SCHILY.xattr.user.overlay.opaque': 'y',
          },
        }),
        file('f', '', { pax: { 'SCHILY.xattr.trusted.overlay.metacopy': '' } }),
      ],
      expect: 'ok',
    },
    {
      name: 'user attribute on a link',
      parts: [entry({ name: 'l', type: '2', link: 'x', pax: { 'SCHILY.xattr.user.a': 'b' } })],
      expect: 'ok',
    },
    {
      name: 'attribute without a namespace',
      parts: [dir('d'), file('f', '', { pax: { 'SCHILY.xattr.nonsense': 'b' } })],
      expect: 'error',
    },
    {
      name: 'uid 2^32-2',
      parts: [file('a', '', { pax: { uid: '4294967294', gid: '4294967294' } })],
      expect: 'ok',
    },
    { name: 'uid 2^32-1', parts: [dir('d'), file('a', '', { pax: { uid: '4294967295' } })], expect: 'error' },
    {
      name: 'negative uid',
      parts: [
        dir('d'),
        file('a', '', { patches: [[108, base256([255, 255, 255, 255, 255, 255, 255, 254])]] }),
      ],
      expect: 'error',
    },
    { name: 'negative mtime', parts: [file('a', '', { pax: { mtime: '-1.5' } })], expect: 'ok' },
    { name: 'year 10000', parts: [file('a', '', { pax: { mtime: '253402300800' } })], expect: 'ok' },
    {
      name: 'mtime past 2^63',
      parts: [dir('d'), file('a', '', { pax: { mtime: '9223372036854775808' } })],
      expect: 'error',
    },
    {
      name: 'negative size',
      parts: [
        dir('d'),
        file('a', '', {
          patches: [[124, base256([255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 254, 0])]],
        }),
      ],
      expect: 'error',
    },
    {
      name: 'size of 2^64',
      parts: [dir('d'), file('a', '', { patches: [[124, base256([128, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])]] })],
      expect: 'error',
    },
    {
      name: 'size past the end',
      parts: [dir('d'), file('a', '', { pax: { size: '9223372036854775807' } })],
      expect: 'error',
    },
    {
      name: 'PAX size wins over the header',
      parts: [file('a', 'x'.repeat(1024), { size: 0, pax: { size: '1024' } }), file('b')],
      expect: 'ok',
      has: ['a', 'b'],
    },
    {
      name: 'directory with a body',
      parts: [dir('d', { body: 'x'.repeat(512) }), file('b')],
      expect: 'error',
    },
    {
      name: 'NUL in a PAX path',
      parts: [dir('d'), file('a', '', { pax: { path: 'x\0y' } })],
      expect: 'error',
    },
    {
      name: 'PAX record without =',
      parts: [dir('d'), meta('x', Buffer.from('9 abcdef\n')), file('a')],
      expect: 'error',
    },
    {
      name: 'PAX length too large',
      parts: [dir('d'), meta('x', Buffer.from('99 path=b\n')), file('a')],
      expect: 'error',
    },
    {
      name: 'PAX length too small',
      parts: [dir('d'), meta('x', Buffer.from('3 path=b\n')), file('a')],
      expect: 'error',
    },
    {
      name: 'PAX for a meta entry',
      parts: [paxHeader({ path: 'real' }), longName('real'), file('a')],
      expect: 'ok',
      has: ['real'],
    },
    {
      name: 'PAX and GNU name differ',
      parts: [dir('d'), paxHeader({ path: 'one' }), longName('two'), file('a')],
      expect: 'error',
    },
    {
      name: 'global header with a path',
      parts: [dir('d'), paxHeader({ path: 'evil' }, 'g'), file('a')],
      expect: 'error',
    },
    {
      name: 'global comment',
      parts: [paxHeader({ comment: 'fine' }, 'g'), file('a')],
      expect: 'ok',
      has: ['a'],
    },
    {
      name: 'PAX header of 2 MiB',
      parts: [dir('d'), meta('x', paxRecord('comment', 'x'.repeat(2 << 20))), file('a')],
      expect: 'error',
    },
    { name: 'PAX header at the end', parts: [dir('d'), paxHeader({ path: 'x' })], expect: 'error' },
    { name: 'bad checksum', parts: [dir('d'), file('a', '', { checksum: 1 })], expect: 'error' },
    {
      name: 'duplicates',
      parts: [file('a', 'one'), file('a', 'two'), dir('a'), file('a', 'three')],
      expect: 'ok',
      has: ['a'],
    },
    {
      name: 'not UTF-8',
      parts: [file(Buffer.from([0x66, 0xff, 0xfe]), 'x')],
      expect: 'ok',
      has: ['f\xff\xfe'],
    },
    {
      name: 'sparse map out of order',
      parts: [
        dir('d'),
        sparseS([
          [386, '00000001000\0'],
          [398, '00000000004\0'],
          [410, '00000000000\0'],
          [422, '00000000000\0'],
          [483, '00000002000\0'],
        ]),
      ],
      expect: 'error',
    },
    {
      name: 'sparse past its size',
      parts: [
        dir('d'),
        sparseS([
          [386, '00000001000\0'],
          [398, '00000000004\0'],
          [483, '00000000004\0'],
        ]),
      ],
      expect: 'error',
    },
    {
      name: 'sparse with a wrong sum',
      parts: [
        dir('d'),
        sparseS([
          [386, '00000000000\0'],
          [398, '00000000002\0'],
          [483, '00000002000\0'],
        ]),
      ],
      expect: 'error',
    },
    {
      name: 'sparse PAX 1.0 with a broken map',
      parts: [
        dir('d'),
        file('a', `2\n0\n${'x'.repeat(600)}`, {
          pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '4096' },
        }),
      ],
      expect: 'error',
    },
  ];
  return [...cases, ...moreCases(victim), ...hostileStreams()];
}

/** Where the archive as a whole is at fault. */
function hostileStreams(): HostileCase[] {
  const good = tar(dir('d'), file('d/x', 'content'));
  const wrongCrc = Buffer.from(gzipSync(good));
  wrongCrc.writeUInt32LE(12345, wrongCrc.length - 8);
  const skippable = Buffer.from([0x52, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0x7f, 1, 2]);
  const one = (name: string, archive: Buffer, expect: HostileCase['expect'], has?: string[]) => ({
    name,
    parts: [],
    archive,
    expect,
    has,
  });
  return [
    one('truncated header', Buffer.concat([dir('d'), file('d/x').subarray(0, 300)]), 'error'),
    one(
      'truncated body',
      Buffer.concat([dir('d'), file('d/x', 'y'.repeat(2000)).subarray(0, 1000)]),
      'error',
    ),
    one('no end marker', Buffer.concat([dir('d'), file('d/x')]), 'ok', ['d/x']),
    one(
      'lone zero block in the middle',
      Buffer.concat([dir('d'), Buffer.alloc(512), file('d/x'), END]),
      'error',
    ),
    one('entries behind the end', Buffer.concat([dir('d'), END, file('d/x'), END]), 'ok', ['d']),
    one('trailing garbage', Buffer.concat([good, Buffer.from('garbage'.repeat(100))]), 'ok', ['d/x']),
    one('empty', Buffer.alloc(0), 'ok'),
    one('text', Buffer.from('<html>not found</html>'.repeat(50)), 'error'),
    one('gzip with a wrong CRC', wrongCrc, 'error'),
    one('gzip cut short', gzipSync(good).subarray(0, 60), 'error'),
    one('gzip and garbage', Buffer.concat([gzipSync(good), Buffer.from('garbage')]), 'error'),
    one('gzip and zeros', Buffer.concat([gzipSync(good), Buffer.alloc(700)]), 'ok', ['d/x']),
    one(
      'two gzip members',
      Buffer.concat([gzipSync(good.subarray(0, 700)), gzipSync(good.subarray(700))]),
      'ok',
      ['d/x'],
    ),
    one('endless skippable zstd frame', skippable, 'error'),
    one('xz', Buffer.concat([Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), good]), 'error'),
  ];
}
