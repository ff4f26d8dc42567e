/** `ps`, `images`, `history`: rows as a table, as JSON lines, or by the user's template. */
import { escapeControls, escapeForText } from './escape.js';
import { renderTable } from './table.js';

/** A field of a row: its title in tables, its text. */
export interface Field<T> {
  header: string;
  value(row: T): string;
}

export interface Listing<T> {
  rows: readonly T[];
  fields: Record<string, Field<T>>;
  /** Methods of a row in templates: `.Label "k"`, and what stands in the header line for them. */
  methods?: Record<string, { header(arg: string): string; value(row: T, arg: string): string }>;
  /** Columns of the table when no template is given. */
  columns: readonly string[];
  /** What --format says; undefined or "table" for the table. */
  format?: string;
  /** The field that -q prints. */
  quiet?: string;
  /** Output goes to a terminal: values in templates are escaped too. */
  terminal: boolean;
}

export async function renderListing<T>(listing: Listing<T>): Promise<string> {
  const { rows, fields, columns, quiet } = listing;
  const format = listing.format?.trim() ? listing.format : 'table';
  const cell = (row: T, name: string) => fields[name]?.value(row) ?? '';
  if (format === 'table') {
    if (quiet !== undefined) return rows.map((row) => `${escapeControls(cell(row, quiet))}\n`).join('');
    const header = columns.map((name) => fields[name]?.header ?? name);
    return renderTable([header, ...rows.map((row) => columns.map((name) => cell(row, name)))]);
  }
  return byTemplate(listing, quiet !== undefined && format.startsWith('table') ? `{{.${quiet}}}` : format);
}

async function byTemplate<T>(listing: Listing<T>, format: string): Promise<string> {
  const [{ compileTemplate }, { HEADER_FUNCTIONS }, { goJson }] = await Promise.all([
    import('./template.js'),
    import('./template/functions.js'),
    import('./template/value.js'),
  ]);
  const { rows } = listing;
  const objects = rows.map((row) => rowObject(listing, row));
  if (format === 'json') return objects.map((object) => `${goJson(object)}\n`).join('');
  const table = /^table(?:\s|$)/.test(format);
  const source = unescapeLayout(table ? format.slice('table'.length).trimStart() : format);
  const print = listing.terminal ? escapeForText : undefined;
  const template = compileTemplate(source, { print });
  const lines = objects.map((object) => template(object));
  if (!table) return lines.map((line) => `${line}\n`).join('');
  const header = compileTemplate(source, { functions: HEADER_FUNCTIONS })(headerObject(listing));
  return renderTable([header, ...lines].flatMap((line) => line.split('\n')).map((line) => line.split('\t')));
}

/** `\t` and `\n` typed in a shell's single quotes. */
function unescapeLayout(format: string): string {
  return format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

function rowObject<T>(listing: Listing<T>, row: T): Record<string, unknown> {
  const names = Object.keys(listing.fields).sort();
  const object: Record<string, unknown> = {};
  for (const name of names) object[name] = listing.fields[name]?.value(row);
  for (const [name, method] of Object.entries(listing.methods ?? {}))
    object[name] = (arg: unknown) => method.value(row, String(arg ?? ''));
  return object;
}

function headerObject<T>(listing: Listing<T>): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(listing.fields)) object[name] = field.header;
  for (const [name, method] of Object.entries(listing.methods ?? {}))
    object[name] = (arg: unknown) => method.header(String(arg ?? ''));
  return object;
}
