/** How the page looks, in light and in dark. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --bg: #f6f7f9; --card: #fff; --text: #1c2330; --soft: #5c6675; --line: #dfe3e9; --hover: #eef2f7; --active: #dbe8fd;
  --accent: #2563eb; --on-accent: #fff; --added: #15803d; --changed: #a15c00; --removed: #c2262e; --wasted: #9333ea;
  --shadow: 0 1px 2px rgb(20 30 50 / .07), 0 4px 14px rgb(20 30 50 / .06);
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #0f131a; --card: #171c25; --text: #e4e9f1; --soft: #95a0b2; --line: #2a3240; --hover: #1f2632; --active: #1d3357;
    --accent: #6ea2ff; --on-accent: #0b1220; --added: #4ade80; --changed: #f5b342; --removed: #ff7b7f; --wasted: #c99bff;
    --shadow: 0 1px 2px rgb(0 0 0 / .4), 0 4px 14px rgb(0 0 0 / .25);
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--text); font: 15px/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; }
noscript { display: block; padding: 2rem; }
header { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; align-items: center; justify-content: space-between; padding: 1.1rem 1.6rem; background: var(--card); border-bottom: 1px solid var(--line); }
h1 { margin: 0; font-size: 1.35rem; line-height: 1.25; overflow-wrap: anywhere; }
.id { margin: .15rem 0 0; color: var(--soft); font-size: .85rem; white-space: pre-wrap; }
.facts { display: flex; flex-wrap: wrap; gap: .6rem 2rem; }
.fact b { display: block; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
.fact span { color: var(--soft); font-size: .8rem; }
.fact.wasted b { color: var(--wasted); }
main { display: grid; grid-template-columns: minmax(300px, 27rem) minmax(0, 1fr); gap: 1.4rem; padding: 1.4rem 1.6rem; align-items: start; max-width: 1700px; margin: 0 auto; }
nav { position: sticky; top: 1rem; max-height: calc(100vh - 2rem); overflow-y: auto; padding: 2px; scrollbar-width: thin; }
.stack { border-radius: 12px; }
.stack:focus-visible, .tree:focus-visible, button:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.layer { display: grid; grid-template-columns: 2.1rem 1fr auto; gap: .1rem .6rem; align-content: center; min-height: calc(58px + 60px * var(--thick)); padding: .55rem .9rem .55rem .5rem; margin: 0 0 5px; background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: 9px; box-shadow: var(--shadow); cursor: pointer; }
.layer:hover { border-color: var(--accent); }
.layer[aria-selected=true] { border-color: var(--accent); border-left-color: var(--accent); background: var(--active); }
.number { color: var(--soft); font-weight: 600; text-align: right; font-variant-numeric: tabular-nums; }
.layer .by { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; font: 12.5px/1.45 var(--mono); overflow-wrap: anywhere; }
.layer .size { font-weight: 600; white-space: nowrap; font-variant-numeric: tabular-nums; }
.bar { grid-column: 2 / -1; display: flex; height: 6px; margin-top: .3rem; border-radius: 3px; overflow: hidden; background: color-mix(in srgb, var(--line) 60%, transparent); }
.bar i { display: block; }
.bar .seen { background: var(--accent); }
.bar .waste, .share i { background: repeating-linear-gradient(-45deg, var(--wasted) 0 4px, color-mix(in srgb, var(--wasted) 45%, transparent) 4px 7px); }
.bar i[style]:not([style*="width: 0%"]) { min-width: 2px; }
.counts { grid-column: 2 / -1; display: flex; flex-wrap: wrap; gap: 0 .9rem; font-size: .78rem; font-variant-numeric: tabular-nums; }
.step { margin: 0 0 5px 1rem; padding: 0 .6rem; border-left: 2px dotted var(--line); color: var(--soft); font: 12px/1.6 var(--mono); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.base { margin: .3rem 0 0; color: var(--soft); font-size: .78rem; text-align: center; }
.added { color: var(--added); } .changed { color: var(--changed); } .removed { color: var(--removed); } .wasted { color: var(--wasted); }
article { min-width: 0; background: var(--card); border: 1px solid var(--line); border-radius: 12px; box-shadow: var(--shadow); padding: 1rem 1.1rem 1.2rem; }
h2 { display: flex; gap: .7rem; margin: 0 0 .8rem; font-size: 1rem; font-weight: 400; }
h2 .number { flex: none; min-width: 1.7rem; height: 1.7rem; padding: 0 .4rem; line-height: 1.7rem; text-align: center; border-radius: 7px; background: var(--accent); color: var(--on-accent); }
h2 code { font: 13.5px/1.6 var(--mono); overflow-wrap: anywhere; max-height: 11rem; overflow-y: auto; }
dl { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin: 0; }
dt { color: var(--soft); font-size: .75rem; } dd { margin: 0; font-variant-numeric: tabular-nums; }
.comment { margin: .6rem 0 0; color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
.tools { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center; margin: 1rem 0 .6rem; padding-top: 1rem; border-top: 1px solid var(--line); }
button { font: inherit; font-size: .85rem; color: var(--text); background: transparent; border: 1px solid var(--line); border-radius: 999px; padding: .22rem .75rem; cursor: pointer; }
button:hover { background: var(--hover); }
.tabs { display: flex; gap: 2px; padding: 2px; border-radius: 999px; background: var(--bg); border: 1px solid var(--line); }
.tabs button { border-color: transparent; }
.tabs button[aria-selected=true] { background: var(--accent); color: var(--on-accent); }
.filters { display: flex; flex-wrap: wrap; gap: .35rem; }
.filters[hidden] { display: none; }
.filters button.added { color: var(--added); } .filters button.changed { color: var(--changed); } .filters button.removed { color: var(--removed); }
.filters button[aria-pressed=false] { opacity: .5; text-decoration: line-through; }
.filters button[data-sort] { margin-left: .8rem; }
.filters button[data-sort][aria-pressed=false] { opacity: 1; text-decoration: none; }
.filters button[data-sort][aria-pressed=true] { background: var(--active); border-color: var(--accent); }
input { flex: 1 1 12rem; min-width: 9rem; max-width: 22rem; font: inherit; font-size: .9rem; color: inherit; background: var(--bg); border: 1px solid var(--line); border-radius: 8px; padding: .3rem .6rem; }
.tree { font: 13px/1.5 var(--mono); border-radius: 8px; min-height: 6rem; }
.row { display: grid; grid-template-columns: 1.1rem 1.1rem minmax(0, 1fr) auto 8ch 10ch; gap: 0 .5rem; padding: 1px .5rem 1px calc(.3rem + var(--depth, 0) * 1.15rem); border-radius: 5px; cursor: default; scroll-margin: 4rem; }
.row.dir { cursor: pointer; }
.row:hover { background: var(--hover); }
.row.active { background: var(--hover); }
.tree:focus .row.active { background: var(--active); }
.row.added .mark, .row.added .name { color: var(--added); } .row.changed .mark, .row.changed .name { color: var(--changed); } .row.removed .mark, .row.removed .name { color: var(--removed); }
.row.removed .name { text-decoration: line-through; text-decoration-thickness: 1px; }
.row.dir .name { font-weight: 600; }
.row.hidden-above .bytes { color: var(--wasted); }
.fold { color: var(--soft); text-align: center; } .mark { text-align: center; font-weight: 700; }
.name { overflow-wrap: anywhere; white-space: pre-wrap; }
.target, .note { color: var(--soft); font-weight: 400; display: inline-block; text-decoration: none; }
.note { font: 12px/1.4 system-ui, sans-serif; margin-left: .8em; }
.mode, .owner { color: var(--soft); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.owner { text-align: right; }
.bytes { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.wasted-path { grid-template-columns: minmax(0, 1fr) 8rem 10ch; }
.share { align-self: center; height: 6px; border-radius: 3px; overflow: hidden; background: color-mix(in srgb, var(--line) 60%, transparent); }
.share i { display: block; height: 100%; width: var(--share); }
.wasted-path .bytes { color: var(--wasted); }
.nothing, .rest { padding: .8rem; color: var(--soft); font-family: system-ui, sans-serif; }
.more { height: 1px; }
@media (max-width: 900px) {
  main { grid-template-columns: minmax(0, 1fr); padding: 1rem; }
  nav { position: static; max-height: 50vh; }
  .row { grid-template-columns: 1.1rem 1.1rem minmax(0, 1fr) 10ch; }
  .mode, .owner { display: none; }
  .wasted-path { grid-template-columns: minmax(0, 1fr) 10ch; }
  .wasted-path .share { display: none; }
}
@media print { nav { position: static; max-height: none; } .tools { display: none; } }
`;
