/** Changes to archives and to JSON documents. All of them are made of the given random numbers alone. */

export type Random = (below: number) => number;

export function pick<T>(list: readonly T[], random: Random): T {
  return list[random(list.length)] as T;
}

/** Where a header's meaning sits: name, numbers, type, link, magic, sparse map. */
const FIELDS = [0, 100, 108, 116, 124, 135, 136, 156, 157, 257, 263, 329, 345, 386, 398, 482, 483];

/** Recomputes the checksums of what still looks like headers, so that changes get past the first check. */
function mend(archive: Buffer): void {
  for (let at = 0; at + 512 <= archive.length; at += 512) {
    if (archive.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    archive.fill(' ', at + 148, at + 156);
    let sum = 0;
    for (let i = at; i < at + 512; i++) sum += archive[i] ?? 0;
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
}

/** One to four changes; of a tar three times out of four with right checksums. */
export function mutateBytes(original: Buffer, other: Buffer, random: Random): Buffer {
  let archive = Buffer.from(original);
  for (let change = random(4); change >= 0; change--) {
    if (archive.length === 0) return Buffer.from(other);
    const block = random(Math.max(1, archive.length >> 9)) << 9;
    const last = archive.length - 1;
    const before = archive.subarray(0, block);
    const kinds: (() => void)[] = [
      () => (archive[random(archive.length)] = random(256)),
      () => (archive[Math.min(last, block + pick(FIELDS, random))] = random(256)),
      () => (archive = archive.subarray(0, random(archive.length + 1))),
      () => (archive = Buffer.concat([before, other.subarray(0, 2048), archive.subarray(block)])),
      () => (archive = Buffer.concat([before, archive.subarray(block + 512)])),
      () => (archive[Math.min(last, block + random(40))] = '/.0179 =\n\0'.charCodeAt(random(10))),
      () => (archive = Buffer.concat([archive, other.subarray(random(other.length + 1))])),
      () => {
        const at = random(archive.length);
        archive[at] = (archive[at] ?? 0) ^ (1 << random(8));
      },
    ];
    pick(kinds, random)();
  }
  if (random(4) > 0) mend(archive);
  return archive;
}

const HOSTILE: readonly unknown[] = [
  '',
  '../../../../etc/passwd',
  '/etc/passwd',
  'a\0b',
  `sha256:${'A'.repeat(64)}`,
  `sha256:${'0'.repeat(64)}`,
  'sha256:../../../x',
  'sha512:00',
  'blobs/sha256/../../index.json',
  'x'.repeat(70_000),
  '\u001b]52;c;ZXZpbA==\u0007',
  'UPPER/Case:tag',
  'a'.repeat(300),
  null,
  -1,
  0,
  1e30,
  2 ** 53,
  0.5,
  true,
  [],
  {},
  [[[]]],
  { __proto__: null, constructor: 1 },
];

/** A document with one to three values changed, removed or doubled; or not JSON any more. */
export function mutateJson(text: string, random: Random): string {
  if (random(8) === 0) return mutateBytes(Buffer.from(text), Buffer.from(text), random).toString('latin1');
  const document = { root: JSON.parse(text) as unknown };
  for (let change = random(3); change >= 0; change--) mutateValue(document, random);
  const result = JSON.stringify(document.root) ?? '';
  if (random(20) === 0) return result.replace('{', '{"__proto__":{"size":1},');
  return random(40) === 0 ? `${'['.repeat(20_000)}${result}` : result;
}

function mutateValue(document: object, random: Random): void {
  let holder = document as Record<string, unknown>;
  let key = 'root';
  for (;;) {
    const value = holder[key];
    const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    if (keys.length === 0 || random(5) === 0) break;
    holder = value as Record<string, unknown>;
    key = pick(keys, random);
  }
  const kind = random(5);
  if (kind === 0 && key !== 'root') delete holder[key];
  else if (kind === 1 && Array.isArray(holder)) holder.push(holder[Number(key)]);
  else if (kind === 2 && typeof holder[key] === 'string')
    holder[key] = mutateBytes(Buffer.from(holder[key] as string), Buffer.from('/../'), random).toString(
      'latin1',
    );
  else holder[key] = pick(HOSTILE, random);
}
