/** Builds tar archives field by field, well formed or not. */

export interface EntryFields {
  name: string | Buffer;
  type?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  mtime?: number;
  link?: string | Buffer;
  body?: string | Buffer;
  /** What the header says, if not the body's length. */
  size?: number;
  major?: number;
  minor?: number;
  /** Put over the finished fields before the checksum: [offset, bytes]. */
  patches?: [number, string | Buffer][];
  /** Instead of the right one. */
  checksum?: number;
  /** Records of a PAX header in front. */
  pax?: Record<string, string | Buffer>;
}

export function bytesOf(value: string | Buffer): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

function octal(value: number, width: number): string {
  return value.toString(8).padStart(width - 1, '0');
}

/** One record: "LENGTH KEY=VALUE\n". */
export function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), bytesOf(value), Buffer.from('\n')]);
  let length = rest.length + 1;
  while (rest.length + String(length).length !== length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** A header that describes the next one: type x, g, L or K. */
export function meta(type: string, body: Buffer): Buffer {
  return entry({ name: type === 'L' || type === 'K' ? '././@LongLink' : 'PaxHeaders.0/x', type, body });
}

export function paxHeader(records: Record<string, string | Buffer>, type = 'x'): Buffer {
  return meta(type, Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value))));
}

export function entry(fields: EntryFields): Buffer {
  const header = Buffer.alloc(512);
  const body = bytesOf(fields.body ?? '');
  const put = (offset: number, value: string | Buffer, width: number) =>
    bytesOf(value).copy(header, offset, 0, width);
  put(0, fields.name, 100);
  put(100, octal(fields.mode ?? 0o644, 8), 8);
  put(108, octal(fields.uid ?? 0, 8), 8);
  put(116, octal(fields.gid ?? 0, 8), 8);
  put(124, octal(fields.size ?? body.length, 12), 12);
  put(136, octal(fields.mtime ?? 1_000_000_000, 12), 12);
  put(156, fields.type ?? '0', 1);
  put(157, fields.link ?? '', 100);
  put(257, 'ustar\0' + '00', 8);
  put(329, octal(fields.major ?? 0, 8), 8);
  put(337, octal(fields.minor ?? 0, 8), 8);
  for (const [offset, value] of fields.patches ?? []) bytesOf(value).copy(header, offset);
  header.fill(' ', 148, 156);
  const sum = fields.checksum ?? header.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 7)}\0 `, 8);
  const before = fields.pax ? paxHeader(fields.pax) : Buffer.alloc(0);
  return Buffer.concat([before, header, padded(body)]);
}

export const END = Buffer.alloc(1024);

export function tar(...parts: Buffer[]): Buffer {
  return Buffer.concat([...parts, END]);
}

export const dir = (name: string | Buffer, more: Partial<EntryFields> = {}) =>
  entry({ name, type: '5', mode: 0o755, ...more });
export const file = (name: string | Buffer, body = '', more: Partial<EntryFields> = {}) =>
  entry({ name, body, ...more });
export const symlink = (name: string, link: string) => entry({ name, type: '2', link, mode: 0o777 });
export const hardLink = (name: string, link: string, more: Partial<EntryFields> = {}) =>
  entry({ name, type: '1', link, ...more });
