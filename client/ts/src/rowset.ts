import { type Cell, type Field, GEN_BITS, isText, isWide, sameValue } from "./field.js";
import { KIND_REF } from "./kinds.js";
import { isSmooth, Predictor, STATES } from "./predict.js";
import { type Audience, AUDIENCES, type Schema } from "./schema.js";

/** One column of a part. */
export interface Column {
  /** Its index in the schema's table. */
  readonly index: number;
  readonly field: Field;
  /** What guesses its values; undefined where they are sent as they are. */
  readonly predictor: Predictor | undefined;
  /** Whether its values are no numbers. */
  readonly boxed: boolean;
  /** How many bits its value has, sent as it is; of text, has at least. */
  readonly width: number;
}

/**
 * What one kind of scope has of a table: the columns that everybody sees of the rows in it, or those that only a row's
 * owner or its team sees.
 */
export interface Part {
  /** The table's index in the schema. */
  readonly table: number;
  readonly name: string;
  readonly max: number;
  readonly to: Audience;
  readonly columns: readonly Column[];
  /** How many bits a slot has. */
  readonly slot: number;
}

/** A schema's parts, one to three for each table, in the order in which blocks have them. */
export function partsOf(schema: Schema): Part[] {
  return schema.tables.flatMap((t, table) => {
    return AUDIENCES.filter((to) => to === "room" || t[to].length > 0).map((to): Part => ({
      table, name: t.name, max: t.max, to, slot: bitLength(t.max - 1),
      columns: t[to].map((index) => columnOf(index, t.fields[index]!, schema)),
    }));
  });
}

const TEXT_BITS = 4; // the length of an empty one

function columnOf(index: number, field: Field, schema: Schema): Column {
  return {
    index, field, predictor: isSmooth(field) ? new Predictor(field) : undefined, boxed: isText(field) || isWide(field),
    width: field.kind === KIND_REF ? bitLength(schema.tables[field.ref]!.max - 1) + GEN_BITS + 1 : widthOf(field),
  };
}

function widthOf(f: Field): number {
  if (isText(f)) return TEXT_BITS;
  if (isWide(f)) return 64;
  return bitLength(f.top - f.least);
}

/** How many bits a number has. */
function bitLength(n: number): number {
  let bits = 0;
  for (; n > 0; n = Math.floor(n / 2)) bits++;
  return bits;
}

/** The values of one column, by row. */
export type Values = Float64Array | Cell[];

/**
 * A part of one state: its rows in the order of ids, column by column. It never changes once it is read, so that states
 * share the columns in which they do not differ.
 */
export interface RowSet {
  readonly ids: Int32Array;
  /** By the part's columns. */
  readonly values: readonly Values[];
}

export const noRows: RowSet = { ids: new Int32Array(), values: [] };

/** Where in a set the row with this id is, or -1. */
export function placeOf({ ids }: RowSet, id: number): number {
  let lo = 0;
  let hi = ids.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (ids[mid]! < id) lo = mid + 1;
    else hi = mid;
  }
  return ids[lo] === id ? lo : -1;
}

function sameIds(a: Int32Array, b: Int32Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Calls touched with the ids of the rows that are in one of two sets only, or not the same in both. */
export function compare(was: RowSet, is: RowSet, touched: (id: number) => void): void {
  if (was === is) return;
  const differing: [Values, Values][] = [];
  is.values.forEach((v, c) => {
    const before = was.values[c];
    if (before && before !== v) differing.push([before, v]);
  });
  let i = 0;
  let k = 0;
  while (i < was.ids.length || k < is.ids.length) {
    const a = was.ids[i] ?? Infinity;
    const b = is.ids[k] ?? Infinity;
    if (a === b) {
      if (differing.some(([x, y]) => !sameValue(x[i], y[k]))) touched(a);
      i++;
      k++;
    } else if (a < b) {
      touched(a);
      i++;
    } else {
      touched(b);
      k++;
    }
  }
}

/** A part's earlier states, the newest first, and where the rows of the newest are in the others. */
export class Past {
  readonly n: number;
  readonly newest: RowSet;
  readonly #sets: readonly RowSet[];
  /** By state but the newest: by row of the newest, where it is there, or -1; undefined where all are at their place. */
  readonly #at: (Int32Array | undefined)[] = [];

  constructor(sets: readonly RowSet[]) {
    this.n = sets.length;
    this.newest = sets[0] ?? noRows;
    this.#sets = sets;
    for (const set of sets) this.#at.push(sameIds(this.newest.ids, set.ids) ? undefined : find(this.newest.ids, set.ids));
  }

  /** Whether a column is in all four states the very same. */
  still(c: number): boolean {
    const v = this.newest.values[c];
    return this.n === STATES && this.#sets.every((s, j) => s.values[c] === v && !this.#at[j]);
  }

  /** A predictor's guess of a column of one of the newest state's rows. */
  guess(p: Predictor, c: number, row: number): void {
    let n = 1;
    let h1 = 0;
    let h2 = 0;
    let h3 = 0;
    const h0 = this.newest.values[c]![row] as number;
    for (; n < this.n; n++) {
      const at = this.#at[n];
      const place = at ? at[row]! : row;
      if (place < 0) break;
      const v = this.#sets[n]!.values[c]![place] as number;
      if (n === 1) h1 = v;
      else if (n === 2) h2 = v;
      else h3 = v;
    }
    p.guess(n, h0, h1, h2, h3);
  }
}

/** Finds each of the sorted ids among others, which are sorted, too. */
function find(ids: Int32Array, others: Int32Array): Int32Array {
  const at = new Int32Array(ids.length);
  let k = 0;
  for (let i = 0; i < ids.length; i++) {
    while (k < others.length && others[k]! < ids[i]!) k++;
    at[i] = others[k] === ids[i] ? k : -1;
  }
  return at;
}
