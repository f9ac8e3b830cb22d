import type { Decoder, RawRow } from "./decoder.js";
import { cellValue, type Element, elementsOf, sameValue, type Value } from "./field.js";
import { hasAudience, isCell } from "./schema.js";

/**
 * A row as a program sees it: its columns by name, nested fields with dotted names. Columns for the row's owner, or its
 * team, are absent from the rows of others, elements that a slice does not have from all. A row object never changes: a
 * row that changed is a new object.
 */
export type Row = Record<string, Value>;

/** The rows of a table that the client has now, in the order of ids. A value is a table of one row with id 1. */
export interface TableView<R> {
  /** How many there are. */
  readonly size: number;
  /** The row of an id; undefined where there is none. */
  get(id: number): R | undefined;
  /** The rows with their ids. They may change meanwhile: those that went are passed over. */
  [Symbol.iterator](): Iterator<[number, R]>;
}

/**
 * Told of rows, after the whole frame was applied: what became of one, and the row that it is, or was. "change" has both,
 * the one that it was last.
 */
export type RowTell = (what: "add" | "change" | "remove", table: string, id: number, ...rows: Row[]) => void;

class TableRows implements TableView<Row> {
  readonly rows = new Map<number, Row>();
  #ids: number[] | undefined; // sorted; undefined when it has to be made anew

  get size(): number {
    return this.rows.size;
  }

  get(id: number): Row | undefined {
    return this.rows.get(id);
  }

  set(id: number, row: Row | undefined): void {
    const had = this.rows.has(id);
    if (row) this.rows.set(id, row);
    else this.rows.delete(id);
    if (had !== (row !== undefined)) this.#ids = undefined;
  }

  *[Symbol.iterator](): Iterator<[number, Row]> {
    this.#ids ??= [...this.rows.keys()].sort((a, b) => a - b);
    for (const id of this.#ids) {
      const row = this.rows.get(id);
      if (row) yield [id, row]; // else it was removed meanwhile
    }
  }
}

/**
 * The decoded rows of all scopes put together by id. It outlives decoders: after a resume, rows that are as they were
 * stay the same objects and nothing is told of them.
 */
export class Tables {
  readonly views: Readonly<Record<string, TableView<Row>>>;
  readonly #tables: readonly TableRows[];
  readonly #tell: RowTell;
  #decoder!: Decoder;
  #touched: Set<number>[] = [];
  #unseen: Set<number>[] = []; // by table, the rows that are here from the decoder before
  readonly #elements: readonly (readonly (Element | undefined)[])[];
  /** By table, the rows that are in a cell, and since which tick they are in none; -1: they are in one. */
  readonly #inCells: Map<number, number>[];

  constructor(decoder: Decoder, tell: RowTell) {
    this.#tell = tell;
    this.#tables = decoder.schema.tables.map(() => new TableRows());
    this.views = Object.fromEntries(decoder.schema.tables.map((t, i) => [t.name, this.#tables[i]!]));
    this.#elements = decoder.schema.tables.map((t) => elementsOf(t.fields));
    this.#inCells = this.#tables.map(() => new Map<number, number>());
    this.follow(decoder);
  }

  /**
   * Goes on with another decoder of the same schema. Its first update compares every row; one that it does not have yet
   * stays until all its scopes are here.
   */
  follow(decoder: Decoder): void {
    this.#decoder = decoder;
    decoder.touched = (table, id) => this.#touched[table]!.add(id);
    this.#touched = this.#tables.map((t) => new Set(t.rows.keys()));
    this.#unseen = this.#touched.map((ids) => new Set(ids));
  }

  /** Brings the views up to what the decoder has, then tells what became of the rows. */
  update(): void {
    const told: (() => void)[] = [];
    const { waits } = this.#decoder;
    this.#tables.forEach((t, i) => {
      const { name } = this.#decoder.schema.tables[i]!;
      const touched = this.#touched[i]!;
      this.#touched[i] = new Set();
      const kept: number[] = [];
      const taken = new Set<number>(); // slots of rows that came
      const put = (id: number, before: Row | undefined, row: Row | undefined) => {
        t.set(id, row);
        const rows = [row, before].filter((r) => r !== undefined);
        const what = !before ? "add" : row ? "change" : "remove";
        if (rows.length > 0) told.push(() => this.#tell(what, name, id, ...rows));
      };
      for (const id of touched) {
        const before = t.get(id);
        const row = this.#compose(i, id);
        if (!before && row) taken.add(slotOf(id));
        if (row) this.#unseen[i]!.delete(id);
        if (!row && before && ((waits && this.#unseen[i]!.has(id)) || this.#lingers(i, id))) kept.push(id);
        else if (!before || !row || !same(before, row)) put(id, before, row);
      }
      for (const id of kept) {
        if (taken.has(slotOf(id))) {
          this.#inCells[i]!.delete(id);
          put(id, t.get(id), undefined);
        } else this.#touched[i].add(id);
      }
    });
    for (const tell of told) tell();
  }

  /**
   * Whether a row that is in no scope is kept for now: one that left a cell may be in one of a lower rate, which says so
   * later.
   */
  #lingers(table: number, id: number): boolean {
    const rows = this.#inCells[table]!;
    const { tick, slowest } = this.#decoder;
    const since = rows.get(id);
    if (since === -1) rows.set(id, tick);
    if (since !== undefined && tick - (since < 0 ? tick : since) < slowest - 1) return true;
    rows.delete(id);
    return false;
  }

  /** Puts a row together of what the scope in which it is, the newest, and those of the seat and its team have of it. */
  #compose(table: number, id: number): Row | undefined {
    const info = this.#decoder.schema.tables[table]!;
    let shared: RawRow | undefined;
    let own: RawRow | undefined;
    let team: RawRow | undefined;
    let newest = -1;
    for (const scope of this.#decoder.scopes()) {
      const tick = this.#decoder.tickOf(scope)!;
      const row = tick > newest ? this.#decoder.row(scope, table, id, "room") : undefined;
      if (row) {
        [shared, newest] = [row, tick];
        if (isCell(scope)) this.#inCells[table]!.set(id, -1);
        else this.#inCells[table]!.delete(id);
      }
      if (hasAudience(scope, "own")) own ??= this.#decoder.row(scope, table, id, "own");
      if (hasAudience(scope, "team")) team ??= this.#decoder.row(scope, table, id, "team");
    }
    if (!shared) return undefined; // of a row that is there only in part nothing shows
    const row: Row = {};
    const cell = (i: number) => (info.own.includes(i) ? own : info.team.includes(i) ? team : shared)?.cells[i];
    info.fields.forEach((f, i) => {
      const v = cell(i);
      const element = this.#elements[table]![i];
      if (v === undefined || (element && element.index >= ((cell(element.len) ?? 0) as number))) return;
      row[f.name] = cellValue(f, v);
    });
    return row;
  }
}

function slotOf(id: number): number {
  return Math.floor(id / 0x10000);
}

function same(a: Row, b: Row): boolean {
  for (const name in b) if (!sameValue(a[name], b[name])) return false;
  for (const name in a) if (!(name in b)) return false;
  return true;
}
