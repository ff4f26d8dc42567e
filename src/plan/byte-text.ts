/** Names are bytes; people read text. */

const ASCII = /^[\u0000-\u007f]*$/;
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * `bytes` has one character per byte. Bytes that are no UTF-8 read \xNN; then, since a name may also have these four
 * characters, `hex` says what it really is.
 */
export function textOf(bytes: string): { text: string; hex?: string } {
  if (ASCII.test(bytes)) return { text: bytes };
  const buffer = Buffer.from(bytes, 'latin1');
  try {
    return { text: strict.decode(buffer) };
  } catch {
    return { text: readable(buffer), hex: buffer.toString('hex') };
  }
}

function readable(buffer: Buffer): string {
  let text = '';
  for (let at = 0; at < buffer.length; ) {
    const length = characterLength(buffer.subarray(at, at + 4));
    text +=
      length > 0
        ? buffer.toString('utf8', at, at + length)
        : `\\x${(buffer[at] ?? 0).toString(16).padStart(2, '0')}`;
    at += length || 1;
  }
  return text;
}

/** Of the character that they begin with; 0 if it is none. */
function characterLength(bytes: Buffer): number {
  for (let length = 1; length <= bytes.length; length++) {
    try {
      strict.decode(bytes.subarray(0, length));
      return length;
    } catch {
      // not yet, or never
    }
  }
  return 0;
}
