import { BitReader, BlockError } from "./bits.js";
import { readPart } from "./delta.js";
import { type Cell, zeroCell } from "./field.js";
import type { Block, Frame, Head } from "./frame.js";
import { ViewHash } from "./hash.js";
import { STATES } from "./predict.js";
import { compare, hasPart, noRows, type Part, partsOf, Past, placeOf, type RowSet } from "./rowset.js";
import { isSeat, type Schema } from "./schema.js";

/**
 * That a scope could not be brought to a frame's tick; the decoder then has nothing of it until its keyframe comes,
 * for which its client asks. "block": the bytes are malformed; "base": they build on a tick that is not here; "hash":
 * the view hash differs.
 */
export class ScopeError extends Error {
  override readonly name = "ScopeError";
  readonly scope: number;
  readonly reason: "block" | "base" | "hash";

  constructor(scope: number, reason: "block" | "base" | "hash", text: string) {
    super(`scope ${scope}: ${text}`);
    this.scope = scope;
    this.reason = reason;
  }
}

/** A row as a part of one scope has it. Cells are by the schema's index; those that are not of the part are zero. */
export interface RawRow {
  readonly id: number;
  readonly cells: Cell[];
}

/** The greatest distance between the states that a block builds on. */
const MOST_GAP = 2 ** 31;

/** One state of a scope: its sets of rows by part. A state that lasted several frames is shared by them. */
type State = readonly RowSet[];

/** What a scope was at the ticks of up to four frames, the newest first. */
class History {
  readonly #ticks: number[] = [];
  readonly #states: State[] = [];

  get tick(): number | undefined {
    return this.#ticks[0];
  }

  get newest(): State | undefined {
    return this.#states[0];
  }

  push(tick: number, state: State): void {
    this.#ticks.unshift(tick);
    this.#states.unshift(state);
    this.#ticks.length = this.#states.length = Math.min(this.#ticks.length, STATES);
  }

  at(tick: number): State | undefined {
    return this.#states[this.#ticks.lastIndexOf(tick)];
  }
}

/**
 * What a client has of a room. It takes bytes that nobody vouches for: what it allocates for rows that come is bounded
 * by a multiple of the input, and all of it by the tables' bounds.
 */
export class Decoder {
  readonly schema: Schema;
  /**
   * Called with a table's index and a row's id when something of that row has changed in some scope, also for those that
   * are gone. It may come more than once for a row.
   */
  touched: (table: number, id: number) => void = () => {};

  readonly #parts: readonly Part[];
  readonly #shared: readonly number[]; // by table, the part with the columns that all see
  readonly #own: readonly number[]; // by table, the part with those for a row's owner; -1 where there is none
  readonly #zeros: readonly (readonly Cell[])[]; // by table, the cells of a row of which nothing is here
  readonly #scopes = new Map<number, History>();
  #tick = 0;

  constructor(schema: Schema) {
    this.schema = schema;
    this.#parts = partsOf(schema);
    const partOf = (table: number, own: boolean) => this.#parts.findIndex((p) => p.table === table && p.own === own);
    this.#shared = schema.tables.map((_, i) => partOf(i, false));
    this.#own = schema.tables.map((_, i) => partOf(i, true));
    this.#zeros = schema.tables.map((t) => t.fields.map(zeroCell));
  }

  /** The tick of the last frame applied. */
  get tick(): number {
    return this.#tick;
  }

  /** The scopes of which something is here. */
  scopes(): number[] {
    return [...this.#scopes.keys()];
  }

  has(scope: number): boolean {
    return this.#scopes.has(scope);
  }

  /**
   * The rows of a table, by its index, in one scope, in the order of ids: with the columns that only a row's owner sees,
   * or with all others. Where it is not said which: a seat's scope has the rows of its own.
   */
  rows(scope: number, table: number, own = isSeat(scope)): readonly RawRow[] {
    const i = (own ? this.#own : this.#shared)[table] ?? -1;
    const set = this.#scopes.get(scope)?.newest?.[i];
    return set ? Array.from(set.ids, (_, row) => this.#raw(i, set, row)) : [];
  }

  /** One row of a table in one scope. */
  row(scope: number, table: number, id: number, own = isSeat(scope)): RawRow | undefined {
    const i = (own ? this.#own : this.#shared)[table] ?? -1;
    const set = this.#scopes.get(scope)?.newest?.[i];
    const row = set ? placeOf(set, id) : -1;
    return set && row >= 0 ? this.#raw(i, set, row) : undefined;
  }

  /** Brings the decoder to the frame's tick. Scopes with an error are left empty; the others are applied all the same. */
  apply(frame: Frame): ScopeError[] {
    const { head } = frame;
    const errors: ScopeError[] = [];
    for (const scope of this.#scopes.keys()) if (!head.scopes.includes(scope)) this.#drop(scope);
    this.#tick = head.tick;
    for (const block of frame.blocks) {
      try {
        this.#block(block, head);
      } catch (e) {
        this.#drop(block.scope);
        if (e instanceof BlockError) errors.push(new ScopeError(block.scope, "block", e.message));
        else if (e instanceof ScopeError) errors.push(e);
        else throw e;
      }
    }
    for (const h of this.#scopes.values()) {
      if (h.tick !== head.tick) h.push(head.tick, h.newest!); // a scope without a block has not changed
    }
    for (const { scope, sum } of frame.hashes) {
      const state = this.#scopes.get(scope)?.newest;
      if (state && this.#hash(scope, state) !== sum) {
        this.#drop(scope);
        errors.push(new ScopeError(scope, "hash", "view hash differs"));
      }
    }
    return errors;
  }

  #drop(scope: number): void {
    const state = this.#scopes.get(scope)?.newest;
    this.#scopes.delete(scope);
    if (state) this.#compare(state, []);
  }

  /** Tells of the rows in which two states of a scope differ. */
  #compare(was: State, is: State): void {
    this.#parts.forEach(({ table }, i) => {
      compare(was[i] ?? noRows, is[i] ?? noRows, (id) => this.touched(table, id));
    });
  }

  #block({ scope, data }: Block, head: Head): void {
    const r = new BitReader(data);
    if (!head.scopes.includes(scope)) r.fail("not one of the frame's scopes");
    const key = r.bit();
    const n = r.get(2) + 1;
    const gap = r.number(0) + 1;
    if (gap > (key ? 1 : MOST_GAP)) r.fail(`a gap of ${gap}`);
    const before = this.#scopes.get(scope);
    const was = before?.newest ?? [];
    const history = key ? new History() : before;
    if (!history) throw noBase(scope);
    for (let i = key ? n - 1 : 0; i > 0; i--) { // a keyframe's older states
      const tick = (head.tick - i) >>> 0;
      history.push(tick, this.#state(r, scope, history, tick, 1, n - 1 - i));
    }
    const state = this.#state(r, scope, history, head.tick, gap, key ? n - 1 : n);
    r.done();
    history.push(head.tick, state);
    this.#scopes.set(scope, history);
    this.#compare(was, state);
  }

  /** Reads the state of a tick from n earlier ones. */
  #state(r: BitReader, scope: number, history: History, tick: number, gap: number, n: number): State {
    const earlier: State[] = [];
    for (let j = 1; j <= n; j++) {
      const state = history.at((tick - j * gap) >>> 0);
      if (!state) throw noBase(scope);
      earlier.push(state);
    }
    return this.#parts.map((part, i) => {
      return hasPart(scope, part) ? readPart(r, part, new Past(earlier.map((s) => s[i]!))) : noRows;
    });
  }

  #raw(part: number, set: RowSet, row: number): RawRow {
    const { table, columns } = this.#parts[part]!;
    const cells = this.#zeros[table]!.slice();
    columns.forEach(({ index }, c) => (cells[index] = set.values[c]![row]!));
    return { id: set.ids[row]!, cells };
  }

  #hash(scope: number, state: State): bigint {
    const hash = new ViewHash();
    this.#parts.forEach((part, i) => {
      if (!hasPart(scope, part)) return;
      const { ids, values } = state[i]!;
      part.columns.forEach(({ index, field }, c) => {
        for (let row = 0; row < ids.length; row++) hash.add(part.table, index, field, ids[row]!, values[c]![row]!);
      });
    });
    return hash.value;
  }
}

function noBase(scope: number): ScopeError {
  return new ScopeError(scope, "base", "block is based on a tick that is not here");
}
