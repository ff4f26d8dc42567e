/** The part of the page's script that draws and listens. Plain JavaScript, for browsers. */
export const SCRIPT = `
const state = {
  layer: data.layers.length - 1,
  view: 'layer',
  changes: new Set(CHANGES),
  search: '',
  bySize: false,
  folds: new Map(),
  active: 0,
};
const SMALL = 60;
const CHUNK = 400;
const app = document.getElementById('app');
let rows = [];
let drawn = 0;

const percent = (part, whole) => (whole === 0 ? 0 : (part / whole) * 100);
const largest = Math.max(1, ...data.layers.map((layer) => layer.size));
/** Style by the element's own properties: style attributes are forbidden here. */
const styled = (element, styles) => {
  for (const [name, value] of Object.entries(styles)) element.style.setProperty(name, value);
  return element;
};
const bar = (layer) =>
  el('span', { class: 'bar', 'aria-hidden': 'true' },
    styled(el('i', { class: 'seen' }), { width: percent(layer.size - layer.wasted, largest) + '%' }),
    styled(el('i', { class: 'waste' }), { width: percent(layer.wasted, largest) + '%' }));

function header() {
  const seen = data.size === 0 ? 100 : percent(data.size - data.wasted, data.size);
  const fact = (value, label, kind) => el('div', { class: 'fact ' + (kind || '') }, el('b', {}, value), el('span', {}, label));
  return el('header', {},
    el('div', { class: 'title' },
      el('h1', {}, data.name),
      el('p', { class: 'id' }, data.id.slice(7, 19) + '  ·  ' + data.platform + (data.created ? '  ·  ' + data.created.slice(0, 10) : ''))),
    el('div', { class: 'facts' },
      fact(String(data.layers.length), data.layers.length === 1 ? 'layer' : 'layers'),
      fact(humanSize(data.size), 'in all layers'),
      fact(humanSize(data.wasted), 'wasted', data.wasted > 0 ? 'wasted' : ''),
      fact(Math.floor(seen * 10) / 10 + ' %', 'of the bytes can be seen')));
}

const stack = el('div', { class: 'stack', role: 'listbox', tabindex: '0', 'aria-label': 'Layers, the top one first', onkeydown: stackKey });
function drawStack() {
  const parts = data.steps.map((step) => (typeof step === 'number' ? layerCard(step) : el('div', { class: 'step', title: step }, step)));
  stack.replaceChildren(...parts.reverse());
  markLayer();
}
function layerCard(index) {
  const layer = data.layers[index];
  const card = el('div', { class: 'layer', role: 'option', id: 'layer-' + index, onclick: () => select(index) },
    el('span', { class: 'number' }, String(index + 1)),
    el('span', { class: 'by', title: layer.by }, layer.by),
    el('span', { class: 'size' }, humanSize(layer.size)),
    bar(layer),
    el('span', { class: 'counts' }, ...countsOf(layer)));
  return styled(card, { '--thick': String(Math.sqrt(layer.size / largest)) });
}
function countsOf(layer) {
  const parts = [];
  for (const [name, mark] of [['added', '+'], ['changed', '~'], ['removed', '−']])
    if (layer[name][0] > 0) parts.push(el('span', { class: name }, mark + layer[name][0].toLocaleString('en')));
  if (layer.wasted > 0) parts.push(el('span', { class: 'wasted' }, humanSize(layer.wasted) + ' wasted'));
  return parts;
}
function markLayer() {
  for (const card of stack.querySelectorAll('.layer'))
    card.setAttribute('aria-selected', String(card.id === 'layer-' + state.layer));
  stack.setAttribute('aria-activedescendant', 'layer-' + state.layer);
}
function select(index) {
  if (index < 0 || index >= data.layers.length) return;
  state.layer = index;
  state.active = 0;
  markLayer();
  document.getElementById('layer-' + index).scrollIntoView({ block: 'nearest' });
  drawPanel();
}
function stackKey(event) {
  const to = { ArrowUp: state.layer + 1, k: state.layer + 1, ArrowDown: state.layer - 1, j: state.layer - 1, Home: data.layers.length - 1, End: 0 }[event.key];
  if (event.key === 'Enter' || event.key === 'ArrowRight') tree.focus();
  else if (to === undefined) return;
  else select(to);
  event.preventDefault();
}

const about = el('section', { class: 'about' });
const tree = el('div', { class: 'tree', tabindex: '0', onkeydown: treeKey, onclick: treeClick });
const search = el('input', { type: 'search', placeholder: 'Find a name or a /path', 'aria-label': 'Find', spellcheck: 'false', oninput: () => { state.search = search.value; state.active = 0; drawTree(); } });
const tabs = el('div', { class: 'tabs', role: 'tablist' },
  ...[['layer', 'This layer'], ['all', 'All files up to it'], ['waste', 'Wasted space']].map(([view, text]) =>
    el('button', { role: 'tab', type: 'button', 'data-view': view, onclick: () => { state.view = view; state.active = 0; drawPanel(); } }, text)));
const filters = el('div', { class: 'filters' },
  ...[['added', '+'], ['changed', '~'], ['removed', '−'], ['unchanged', '']].map(([change, mark]) =>
    el('button', { type: 'button', class: change, 'data-change': change, 'aria-pressed': 'true', onclick: toggle }, mark + ' ' + change)),
  el('button', { type: 'button', 'data-sort': '', 'aria-pressed': 'false', onclick: sort }, 'by size'));
const more = el('div', { class: 'more' });
new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) drawMore(); }).observe(more);

function toggle({ currentTarget }) {
  const { change } = currentTarget.dataset;
  if (!state.changes.delete(change)) state.changes.add(change);
  currentTarget.setAttribute('aria-pressed', String(state.changes.has(change)));
  drawTree();
}
function sort({ currentTarget }) {
  state.bySize = !state.bySize;
  currentTarget.setAttribute('aria-pressed', String(state.bySize));
  drawTree();
}

function drawPanel() {
  const layer = data.layers[state.layer];
  if (layer === undefined) about.replaceChildren(el('h2', {}, 'This image has no layers'));
  else {
    const item = (title, text, kind) => el('div', {}, el('dt', {}, title), el('dd', { class: kind || '' }, text));
    const counted = ([entries, bytes]) => entries.toLocaleString('en') + (entries ? ' (' + humanSize(bytes) + ')' : '');
    about.replaceChildren(
      el('h2', {}, el('span', { class: 'number' }, String(state.layer + 1)), el('code', {}, layer.by)),
      el('dl', {},
        item('Size', humanSize(layer.size)), item('Blob', humanSize(layer.blob)),
        item('Added', counted(layer.added), layer.added[0] ? 'added' : ''),
        item('Changed', counted(layer.changed), layer.changed[0] ? 'changed' : ''),
        item('Removed', counted(layer.removed), layer.removed[0] ? 'removed' : ''),
        item('Hides below', humanSize(layer.hides)),
        item('Wasted', humanSize(layer.wasted), layer.wasted ? 'wasted' : ''),
        item('Created', layer.created.slice(0, 19).replace('T', ' ') || '—'),
        item('Diff ID', layer.diffId.slice(7, 19))));
    if (layer.comment) about.append(el('p', { class: 'comment' }, layer.comment));
  }
  for (const tab of tabs.children) tab.setAttribute('aria-selected', String(tab.dataset.view === state.view));
  filters.hidden = state.view === 'waste';
  drawTree();
}

function drawTree() {
  const wasted = state.view === 'waste';
  tree.setAttribute('role', wasted ? 'list' : 'tree');
  tree.setAttribute('aria-label', wasted ? 'Wasted space' : 'Files');
  if (wasted) {
    const wanted = state.search.toLowerCase();
    rows = data.waste.filter(({ path }) => path.toLowerCase().includes(wanted));
  } else {
    const nodes = state.view === 'all' ? filesUpTo(state.layer) : (data.layers[state.layer] || { tree: [] }).tree;
    rows = rowsOf(nodes, { ...state, open: countNodes(nodes, SMALL) <= SMALL });
  }
  state.active = Math.max(0, Math.min(state.active, rows.length - 1));
  drawn = 0;
  tree.replaceChildren();
  if (rows.length === 0) tree.append(el('p', { class: 'nothing' }, wasted && !state.search ? 'Nothing is wasted: every byte of every layer can be seen.' : 'Nothing to show.'));
  drawMore();
  while (drawn <= state.active && drawn < rows.length) drawMore();
  mark();
}
function drawMore() {
  const to = Math.min(rows.length, drawn + CHUNK);
  const part = document.createDocumentFragment();
  for (; drawn < to; drawn++) part.append(state.view === 'waste' ? wasteRow(rows[drawn], drawn) : fileRow(rows[drawn], drawn));
  tree.append(part);
  if (state.view === 'waste' && data.moreWaste > 0 && drawn === rows.length && !tree.querySelector('.rest'))
    tree.append(el('p', { class: 'rest' }, 'and ' + data.moreWaste.toLocaleString('en') + ' paths more'));
}
function fileRow({ node, depth, index, of, open }, at) {
  const directory = node.type === 'd';
  const size = node.change === 'removed' ? (node.hides ? '−' + humanSize(node.hides) : '') : node.hardLink ? '= link' : node.type === '-' || (directory && node.size) ? humanSize(node.size) : '';
  const notes = [node.note, node.hiddenBy >= 0 ? 'hidden by layer ' + (node.hiddenBy + 1) : ''].filter(Boolean).join(', ');
  const row = el('div', { class: 'row ' + node.change + (directory ? ' dir' : '') + (node.hiddenBy >= 0 ? ' hidden-above' : ''), role: 'treeitem', id: 'row-' + at, 'aria-level': depth + 1, 'aria-posinset': index, 'aria-setsize': of, 'aria-expanded': open },
    el('span', { class: 'fold', 'aria-hidden': 'true' }, open === undefined ? '' : open ? '▾' : '▸'),
    el('span', { class: 'mark', title: node.change }, { added: '+', changed: '~', removed: '−', unchanged: '' }[node.change]),
    el('span', { class: 'name' }, node.name + (directory ? '/' : ''), ...(node.target ? [el('span', { class: 'target' }, ' → ' + node.target)] : []), ...(notes ? [el('span', { class: 'note' }, notes)] : [])),
    el('span', { class: 'mode' }, node.mode),
    el('span', { class: 'owner' }, node.owner),
    el('span', { class: 'bytes' }, size));
  return styled(row, { '--depth': String(depth) });
}
function wasteRow({ path, bytes, copies }, at) {
  const where = copies.map(([layer, by, removed]) => 'layer ' + (layer + 1) + (removed ? ', removed by ' : ', replaced by ') + (by + 1)).join('; ');
  return el('div', { class: 'row wasted-path', role: 'listitem', id: 'row-' + at },
    el('span', { class: 'name' }, path, el('span', { class: 'note' }, where)),
    styled(el('span', { class: 'share', 'aria-hidden': 'true' }, el('i')), { '--share': String(percent(bytes, data.waste[0].bytes)) + '%' }),
    el('span', { class: 'bytes' }, humanSize(bytes)));
}
function mark() {
  for (const row of tree.querySelectorAll('.active')) row.classList.remove('active');
  const row = document.getElementById('row-' + state.active);
  if (row === null) return tree.removeAttribute('aria-activedescendant');
  row.classList.add('active');
  tree.setAttribute('aria-activedescendant', row.id);
}
function go(to) {
  state.active = Math.max(0, Math.min(rows.length - 1, to));
  while (drawn <= state.active && drawn < rows.length) drawMore();
  mark();
  const row = document.getElementById('row-' + state.active);
  if (row) row.scrollIntoView({ block: 'nearest' });
}
function fold(row, open) {
  state.folds.set(row.path, open);
  drawTree();
  go(state.active);
}
function treeClick(event) {
  const element = event.target.closest('.row');
  if (element === null || String(getSelection()) !== '') return;
  state.active = Number(element.id.slice(4));
  const row = rows[state.active];
  if (state.view !== 'waste' && row.open !== undefined) fold(row, !row.open);
  else mark();
}
function treeKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const row = rows[state.active];
  const files = state.view !== 'waste';
  const moves = { ArrowUp: -1, k: -1, ArrowDown: 1, j: 1, PageUp: -20, PageDown: 20, Home: -rows.length, End: rows.length };
  if (event.key in moves) go(state.active + moves[event.key]);
  else if (!files || row === undefined) return;
  else if (event.key === 'Enter' || event.key === ' ') { if (row.open !== undefined) fold(row, !row.open); }
  else if (event.key === 'ArrowRight') { if (row.open === false) fold(row, true); else if (row.open) go(state.active + 1); }
  else if (event.key === 'ArrowLeft') {
    if (row.open) fold(row, false);
    else {
      let at = state.active - 1;
      while (at > 0 && rows[at].depth >= row.depth) at -= 1;
      if (row.depth > 0) go(at);
    }
  } else return;
  event.preventDefault();
}
document.addEventListener('keydown', (event) => {
  if (event.key === '/' && event.target !== search) { search.focus(); search.select(); event.preventDefault(); }
  if (event.key === 'Escape' && event.target === search) { search.value = ''; state.search = ''; drawTree(); tree.focus(); }
  if ((event.key === 'Enter' || event.key === 'ArrowDown') && event.target === search) { tree.focus(); event.preventDefault(); }
});

app.append(header(), el('main', {},
  el('nav', { 'aria-label': 'Layers' }, stack, el('p', { class: 'base' }, 'base of the image')),
  el('article', {}, about, el('div', { class: 'tools' }, tabs, search, filters), tree, more)));
drawStack();
drawPanel();
document.body.dataset.ready = 'yes';
`;
