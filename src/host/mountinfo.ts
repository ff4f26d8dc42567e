/** /proc/self/mountinfo. */

export interface MountPlace {
  /** Mount point. */
  place: string;
  /** What is mounted on it appears in its peers, too. */
  shared: boolean;
  /** What is mounted on its master appears on it. */
  slave: boolean;
}

/** The mount that the absolute `path`, which is free of links, lies on. */
export function mountOf(path: string, mountinfo: string): MountPlace {
  let found: MountPlace = { place: '/', shared: false, slave: false };
  for (const line of mountinfo.split('\n')) {
    const fields = line.split(' ');
    const end = fields.indexOf('-');
    if (end < 0) continue;
    const place = unquote(fields[4] ?? '');
    const isOn = place === '/' || path === place || path.startsWith(`${place}/`);
    // Of several at one place the last one is on top.
    if (!isOn || place.length < found.place.length) continue;
    const has = (tag: string) => fields.slice(6, end).some((field) => field.startsWith(tag));
    found = { place, shared: has('shared:'), slave: has('master:') };
  }
  return found;
}

/** Blanks are written as \040. */
function unquote(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
