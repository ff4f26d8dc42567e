/** The part of the page's script that computes: nodes, merged trees, rows. Plain JavaScript, for browsers. */
export const TREE_SCRIPT = String.raw`
const data = JSON.parse(document.getElementById('data').textContent);
const CHANGES = ['unchanged', 'added', 'changed', 'removed'];

const nodeOf = ([name, type, change, mode, owner, size, extras, children]) => ({
  name,
  key: extras && extras.x ? '\0' + extras.x : name,
  type,
  change: CHANGES[change],
  mode,
  owner,
  size,
  target: (extras && extras.t) || '',
  hides: (extras && extras.h) || 0,
  hiddenBy: extras && extras.b !== undefined ? extras.b : -1,
  note: (extras && extras.n) || '',
  hardLink: Boolean(extras && extras.l),
  children: children && children.map(nodeOf),
});
for (const layer of data.layers) layer.tree = layer.tree.map(nodeOf);

/** What is there before a layer, as the layer sees it that does nothing to it. */
const old = (node) => ({
  ...node,
  change: 'unchanged',
  hides: 0,
  note: '',
  children: node.children && node.children.filter((child) => child.change !== 'removed').map(old),
});

function merge(below, layer) {
  const merged = new Map();
  for (const node of below) if (node.change !== 'removed') merged.set(node.key, old(node));
  for (const node of layer) {
    const before = merged.get(node.key);
    const gone = node.change === 'removed';
    const children = node.children && merge(gone || !before || !before.children ? [] : before.children, node.children);
    const size = gone ? 0 : children ? children.reduce((sum, child) => sum + child.size, 0) : node.size;
    merged.set(node.key, { ...node, size, children });
  }
  return [...merged.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

let merged = { layer: -1, tree: [] };
function filesUpTo(layer) {
  if (merged.layer !== layer) {
    let tree = [];
    for (const each of data.layers.slice(0, layer + 1)) tree = merge(tree, each.tree);
    merged = { layer, tree };
  }
  return merged.tree;
}

const weight = (node) => Math.max(node.size, node.hides);

function countNodes(nodes, limit) {
  let count = nodes.length;
  for (const node of nodes) {
    if (count > limit) break;
    if (node.children) count += countNodes(node.children, limit - count);
  }
  return count;
}

/** Rows to be shown, with what is folded, filtered and searched for. */
function rowsOf(nodes, { changes, search, bySize, folds, open }) {
  const exact = search !== search.toLowerCase();
  const whole = search.includes('/');
  const hit = (path) => {
    const text = whole ? path : path.slice(path.lastIndexOf('/') + 1);
    return search !== '' && (exact ? text : text.toLowerCase()).includes(search);
  };
  const kept = new Map();
  const found = new Set();
  const keep = (list, parent, inHit) =>
    list.filter((node) => {
      const path = parent + '/' + node.name;
      const own = hit(path);
      const inside = inHit || own;
      let below = 0;
      if (node.children) {
        const children = keep(node.children, path, inside);
        kept.set(node, children);
        below = children.length;
        if (children.some((child) => found.has(child) || hit(path + '/' + child.name))) found.add(node);
      }
      return below > 0 || (changes.has(node.change) && (search === '' || inside));
    });
  const rows = [];
  const list = (children, parent, depth) => {
    const sorted = bySize ? [...children].sort((a, b) => weight(b) - weight(a)) : children;
    sorted.forEach((node, index) => {
      const path = parent + '/' + node.key;
      const below = kept.get(node) || [];
      const row = { node, path, depth, index: index + 1, of: sorted.length, open: undefined };
      if (below.length > 0) row.open = folds.has(path) ? folds.get(path) : found.has(node) || open;
      rows.push(row);
      if (row.open) list(below, path, depth + 1);
    });
  };
  list(keep(nodes, '', false), '', 0);
  return rows;
}

/** As the command line prints sizes: 2.28MB */
function humanSize(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (unit < units.length - 1 && Number(value.toPrecision(3)) >= 1000) {
    value /= 1000;
    unit += 1;
  }
  return String(Number(value.toPrecision(3))) + ' ' + units[unit];
}

/** An element; text is never markup. */
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}
`;
