import type { BitReader } from "./bits.js";
import { type Cell, type Field, GEN_BITS, isText, isValid } from "./field.js";
import { KIND_INT, KIND_REF, KIND_STRING } from "./kinds.js";
import { FLIPPED, Guesses, QUIET, unresidual } from "./predict.js";
import { decodeText } from "./reader.js";
import type { Column, Part, Past, RowSet, Values } from "./rowset.js";

// One part of one state, written against up to four earlier ones as PROTOCOL.md describes it.

/** The parameters that a column may choose from for values that nobody expected. */
const KEPT_K = [0, 1, 2, 3, 4, 6, 8, 12] as const;

const TEXT_K = 3; // of a text's length
const GONE_K = 2; // of how many rows went, and of the gaps between them
const CAME_K = 1; // of how many rows came

/** The rows of a state, and where those of the one before are among them: -1 for those that went. */
interface Rows {
  ids: Int32Array;
  to: Int32Array;
  values: Values[];
}

/** Reads a part of a state from what it was. Throws a BlockError. */
export function readPart(r: BitReader, part: Part, past: Past): RowSet {
  const old = past.newest;
  const differs = r.bit();
  const moved = differs && r.bit() ? readRows(r, part, old) : undefined;
  const values = part.columns.map((column, c) => {
    const into = moved?.values[c];
    if (column.predictor) return readSmooth(r, part, column, c, past, differs, moved?.to, into as Float64Array | undefined);
    return readPlain(r, column, old.values[c] ?? valuesOf(column, 0), differs, moved?.to, into);
  });
  return { ids: moved?.ids ?? old.ids, values };
}

function valuesOf(column: Column, n: number): Values {
  return column.boxed ? new Array<Cell>(n) : new Float64Array(n);
}

/** Reads which rows went, and those that came. */
function readRows(r: BitReader, part: Part, old: RowSet): Rows {
  const n = old.ids.length;
  const to = new Int32Array(n);
  const gone = r.number(GONE_K);
  if (gone > n) r.fail(part.name);
  for (let i = 0, at = -1; i < gone; i++) {
    at += 1 + r.number(GONE_K);
    if (at >= n) r.fail(part.name);
    to[at] = -1;
  }
  const came = r.number(CAME_K);
  const stay = n - gone;
  const least = part.columns.reduce((sum, c) => sum + c.width, part.slot + GEN_BITS);
  if (came > part.max - stay || came * least > r.left) r.fail(part.name);
  const ids = new Int32Array(stay + came);
  const values = part.columns.map((c) => valuesOf(c, ids.length));
  let from = 0;
  let at = 0;
  const keep = (below: number) => {
    for (; from < n && old.ids[from]! < below; from++) {
      if (to[from]! < 0) continue;
      to[from] = at;
      ids[at++] = old.ids[from]!;
    }
  };
  for (let i = 0, last = -1; i < came; i++) {
    const id = readId(r, part);
    if (id <= last) r.fail(part.name);
    last = id;
    keep(id);
    if (old.ids[from] === id && to[from]! >= 0) r.fail(part.name);
    ids[at] = id;
    part.columns.forEach((c, k) => (values[k]![at] = readCell(r, c.field, c.width)));
    at++;
  }
  keep(Infinity);
  return { ids, to, values };
}

function readId(r: BitReader, part: Part): number {
  const slot = r.get(part.slot);
  if (slot >= part.max) r.fail(part.name);
  return slot * 0x10000 + r.get(GEN_BITS) + 1;
}

/** Reads a value as it is. */
function readCell(r: BitReader, f: Field, width: number): Cell {
  if (isText(f)) return readText(r, f);
  if (width === 64) return r.get64();
  let v = r.get(width);
  if (f.kind === KIND_REF) v = Math.floor(v / 2 ** (GEN_BITS + 1)) * 0x10000 + (v % 2 ** (GEN_BITS + 1));
  if (f.kind === KIND_INT && v >= 2 ** (width - 1)) v -= 2 ** width;
  return isValid(f, v) ? v : r.fail(f.name);
}

function readText(r: BitReader, f: Field): Cell {
  const n = r.number(TEXT_K);
  if (n > f.max) r.fail(f.name);
  if (n * 8 > r.left) r.fail(f.name);
  const b = new Uint8Array(n);
  for (let i = 0; i < n; i++) b[i] = r.get(8);
  if (f.kind !== KIND_STRING) return b;
  return decodeText(b) ?? r.fail(f.name);
}

/**
 * Where the next value lies that nobody expected: the rows of which nothing but what they had is expected are passed
 * over by runs.
 */
class Runs {
  readonly #r: BitReader;
  readonly #k: number;
  #left = -1;

  constructor(r: BitReader) {
    this.#r = r;
    this.#k = r.get(3);
  }

  /** Says whether the next of these rows differs. */
  next(): boolean {
    if (this.#left < 0) this.#left = this.#r.number(this.#k);
    return --this.#left < 0;
  }
}

const guesses = new Guesses(); // its memory serves every column

/** Reads a column of those rows that stayed, each value as the residual of its prediction. */
function readSmooth(
  r: BitReader, part: Part, { field, predictor }: Column, c: number, past: Past, present: boolean,
  to: Int32Array | undefined, into: Float64Array | undefined,
): Values {
  const n = past.newest.ids.length;
  const old = past.newest.values[c];
  const differs = present && r.bit();
  if (old && !differs && !to && past.still(c)) return old;
  const runs = differs && r.bit() ? new Runs(r) : undefined;
  const kept = runs ? KEPT_K[r.get(3)]! : 0;
  const out = into ?? new Float64Array(n);
  let same = old !== undefined && !to;
  guesses.column(predictor!, n, (row) => past.guess(predictor!, c, row));
  for (let i = 0; i < n; i++) {
    const at = to ? to[i]! : i;
    if (at < 0) continue;
    const k = guesses.like[i]!;
    let z = 0;
    if (k !== QUIET) {
      if (differs) z = r.number(k & ~FLIPPED);
    } else if (runs?.next()) z = r.number(kept) + 1;
    const v = unresidual(field, z, guesses.values[i]!, k >= FLIPPED);
    if (!isValid(field, v)) r.fail(part.name);
    out[at] = v;
    same &&= v === old![i];
  }
  return same ? old! : out;
}

/** Reads a column of those rows that stayed whose values are sent as they are. */
function readPlain(
  r: BitReader, column: Column, old: Values, present: boolean, to: Int32Array | undefined, into: Values | undefined,
): Values {
  const differs = present && r.bit();
  if (!differs && !to) return old;
  const runs = differs && r.bit() ? new Runs(r) : undefined;
  const out = into ?? valuesOf(column, old.length);
  for (let i = 0; i < old.length; i++) {
    const at = to ? to[i]! : i;
    if (at >= 0) out[at] = runs?.next() ? readCell(r, column.field, column.width) : old[i]!;
  }
  return out;
}
