/** A whole tree as text, with everything that a layer can say of a file: to compare what several engines make of one image. */
import { run } from './cli.js';

/** Node has no xattrs and no numbers of devices of its own. */
const LISTING = String.raw`
import hashlib, os, stat, sys
root = os.fsencode(sys.argv[1])
paths = []
for at, dirs, files in os.walk(root):
    paths += [os.path.join(at, name) for name in dirs + files]
links = {}
for path in sorted(paths):
    st = os.lstat(path)
    links.setdefault(st.st_ino, []).append(repr(os.path.relpath(path, root))[2:-1])
out = []
for path in sorted(paths):
    st = os.lstat(path)
    name = repr(os.path.relpath(path, root))[2:-1]
    words = [name, oct(st.st_mode), '%d:%d' % (st.st_uid, st.st_gid), 'mtime %d' % st.st_mtime_ns]
    if stat.S_ISREG(st.st_mode):
        with open(path, 'rb') as file:
            words.append('sha256 ' + hashlib.sha256(file.read()).hexdigest()[:16])
    if stat.S_ISLNK(st.st_mode):
        words.append('-> ' + repr(os.readlink(path)))
    if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        words.append('%d,%d' % (os.major(st.st_rdev), os.minor(st.st_rdev)))
    if len(links[st.st_ino]) > 1:
        words.append('linked to ' + links[st.st_ino][0])
    for key in sorted(os.listxattr(path, follow_symlinks=False)):
        if not key.startswith('trusted.overlay.'):
            words.append('%s=%s' % (key, os.getxattr(path, key, follow_symlinks=False).hex()))
    out.append(' '.join(words))
print('\n'.join(out))
`;

/**
 * One line for each path below what \`mount\` (a shell command) prints the path of; sorted. It runs in a mount namespace of its
 * own: what it mounts is gone afterwards.
 */
export async function treeOf(mount: string, words: string[] = []): Promise<string[]> {
  const script = `set -e; at=$(${mount}); exec python3 -c "$LISTING" "$at"`;
  const { code, stdout, stderr } = await run('unshare', ['-m', 'sh', '-c', script, 'sh', ...words], {
    env: { LISTING },
  });
  if (code !== 0) throw new Error(`${mount} ${words.join(' ')}: ${stderr}`);
  return stdout.trimEnd().split('\n');
}

/** The merged tree of unpacked layers, topmost first. */
export function overlayTree(lower: readonly string[], scratch: string): Promise<string[]> {
  // One directory alone is no overlay: an empty one is added.
  const mount = `mkdir -p "$2/at" "$2/empty" && mount -t overlay overlay -o "lowerdir=$1:$2/empty" "$2/at" && echo "$2/at"`;
  return treeOf(mount, [lower.join(':'), scratch]);
}
