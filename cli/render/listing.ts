/** `ps`, `images`, `history`: rows as a table, as JSON lines, or by the user's template. */
import { escapeControls, escapeForText } from './escape.js';
import { renderTable } from './table.js';
import type { TemplateOptions } from './template.js';

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
  /** Fields that this engine has nothing for: null in JSON. */
  absent?: readonly string[];
  /** What Go calls a row in the errors of templates. */
  type: string | ((row: T) => string);
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
  const format = listing.format || 'table';
  const cell = (row: T, name: string) => fields[name]?.value(row) ?? '';
  if (format === 'table') {
    if (quiet !== undefined) return rows.map((row) => `${escapeControls(cell(row, quiet))}\n`).join('');
    const header = columns.map((name) => fields[name]?.header ?? name);
    return renderTable([header, ...rows.map((row) => columns.map((name) => cell(row, name)))]);
  }
  return byTemplate(listing, quiet !== undefined && format.startsWith('table') ? `{{.${quiet}}}` : format);
}

/** Names of the fields that a template looks at, `row` being an example. Throws where the template does. */
export async function fieldsUsed<T>(
  listing: Omit<Listing<T>, 'rows' | 'columns' | 'terminal'>,
  row: T,
  words: TemplateOptions['words'],
): Promise<ReadonlySet<string>> {
  const { compileTemplate } = await import('./template.js');
  const used = new Set<string>();
  compileTemplate(listing.format ?? '', { words })(await rowObject(listing, row, (name) => used.add(name)));
  return used;
}

async function byTemplate<T>(listing: Listing<T>, format: string): Promise<string> {
  const [{ compileTemplate }, { HEADER_FUNCTIONS }, { asMap, goJson }] = await Promise.all([
    import('./template.js'),
    import('./template/functions.js'),
    import('./template/value.js'),
  ]);
  const { rows } = listing;
  const objects = await Promise.all(rows.map((row) => rowObject(listing, row)));
  if (format === 'json') return objects.map((object) => `${goJson(object)}\n`).join('');
  const table = /^table(?:\s|$)/.test(format);
  const source = unescapeLayout(table ? format.slice('table'.length).trimStart() : format);
  const print = listing.terminal ? escapeForText : undefined;
  const template = compileTemplate(source, { print });
  const lines = objects.map((object) => template(object));
  if (!table) return lines.map((line) => `${line}\n`).join('');
  const header = compileTemplate(source, { functions: HEADER_FUNCTIONS })(asMap(headerObject(listing)));
  return renderTable([header, ...lines].flatMap((line) => line.split('\n')).map((line) => line.split('\t')));
}

/** `\t` and `\n` typed in a shell's single quotes. */
function unescapeLayout(format: string): string {
  return format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

/** A field is made when it is looked at: then `onUse` is told its name. */
async function rowObject<T>(
  listing: Omit<Listing<T>, 'rows' | 'columns' | 'terminal'>,
  row: T,
  onUse?: (name: string) => void,
): Promise<Record<string, unknown>> {
  const { asRow } = await import('./template/value.js');
  const { fields, methods = {}, absent = [], type } = listing;
  const object: Record<string, unknown> = {};
  for (const name of [...Object.keys(fields), ...absent].sort()) {
    const get = () => {
      onUse?.(name);
      return fields[name]?.value(row) ?? null;
    };
    Object.defineProperty(object, name, { enumerable: true, get });
  }
  for (const [name, method] of Object.entries(methods))
    object[name] = (arg: unknown) => method.value(row, String(arg ?? ''));
  return asRow(object, typeof type === 'string' ? type : type(row));
}

function headerObject<T>(listing: Listing<T>): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(listing.fields)) object[name] = field.header;
  for (const [name, method] of Object.entries(listing.methods ?? {}))
    object[name] = (arg: unknown) => method.header(String(arg ?? ''));
  return object;
}
