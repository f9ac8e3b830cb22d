import { BitReader, BlockError } from "./bits.js";
import { readPart } from "./delta.js";
import { type Cell, zeroCell } from "./field.js";
import { type Block, everyOf, type Frame, type KeyframePart, scopeOf } from "./frame.js";
import { ViewHash } from "./hash.js";
import { STATES } from "./predict.js";
import { compare, noRows, type Part, partsOf, Past, placeOf, type RowSet } from "./rowset.js";
import { type Audience, hasAudience, isSeat, type Schema } from "./schema.js";

/**
 * That a scope could not be brought to a frame's tick; the decoder then has nothing of it until its keyframe comes,
 * for which its client asks. "block": the bytes are malformed; "base": they build on a tick that is not here; "hash":
 * the view hash differs.
 */
export class ScopeError extends Error {
  override readonly name = "ScopeError";
  readonly scope: number;
  readonly reason: "block" | "base" | "hash";

  constructor(scope: number, reason: "block" | "base" | "hash", text: string = reason) {
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

/** A keyframe of which not all parts are here. */
interface HalfKey {
  readonly part: KeyframePart;
  readonly data: Uint8Array[];
  bytes: number;
}

/**
 * What a client has of a room. It takes bytes that nobody vouches for: what it allocates for rows that come is bounded
 * by a multiple of the input, and all of it by the tables' bounds.
 */
export class Decoder {
  readonly schema: Schema;
  /** By table, the bits of blocks that were read for it. The caller may set them back. */
  readonly bits: Float64Array;
  /**
   * Called with a table's index and a row's id when something of that row has changed in some scope, also for those that
   * are gone. It may come more than once for a row.
   */
  touched: (table: number, id: number) => void = () => {};

  readonly #parts: readonly Part[];
  readonly #part: Readonly<Record<Audience, readonly number[]>>; // by table, the part with the columns for it, or -1
  readonly #zeros: readonly (readonly Cell[])[]; // by table, the cells of a row of which nothing is here
  readonly #scopes = new Map<number, History>();
  readonly #halves = new Map<number, HalfKey>();
  readonly #lost = new Set<number>();
  #watched: readonly number[] = [];
  #tick = 0;

  constructor(schema: Schema) {
    this.schema = schema;
    this.bits = new Float64Array(schema.tables.length);
    this.#parts = partsOf(schema);
    const parts = (to: Audience) => {
      return schema.tables.map((_, i) => this.#parts.findIndex((p) => p.table === i && p.to === to));
    };
    this.#part = { room: parts("room"), own: parts("own"), team: parts("team") };
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

  /**
   * The scopes that had an error and of which no keyframe, nor a part of one, has come since: those to ask for. One that
   * is merely not here yet comes by itself.
   */
  get lost(): ReadonlySet<number> {
    return this.#lost;
  }

  /** Whether a scope is merely not here yet. */
  get waits(): boolean {
    return this.#watched.map(scopeOf).some((scope) => !this.#scopes.has(scope) && !this.#lost.has(scope));
  }

  /** The tick of what is here of a scope; undefined where nothing is. */
  tickOf(scope: number): number | undefined {
    return this.#scopes.get(scope)?.tick;
  }

  /** Each how many ticks the slowest of the viewer's scopes is sent. */
  get slowest(): number {
    return this.#watched.reduce((most, w) => Math.max(most, everyOf(w)), 1);
  }

  /**
   * The rows of a table, by its index, in one scope, in the order of ids: with the columns for one audience. Where it is
   * not said which: a seat's scope has the rows of its own.
   */
  rows(scope: number, table: number, to: Audience = isSeat(scope) ? "own" : "room"): readonly RawRow[] {
    const i = this.#part[to][table] ?? -1;
    const set = this.#scopes.get(scope)?.newest?.[i];
    return set ? Array.from(set.ids, (_, row) => this.#raw(i, set, row)) : [];
  }

  /** One row of a table in one scope. */
  row(scope: number, table: number, id: number, to: Audience = isSeat(scope) ? "own" : "room"): RawRow | undefined {
    const i = this.#part[to][table] ?? -1;
    const set = this.#scopes.get(scope)?.newest?.[i];
    const row = set ? placeOf(set, id) : -1;
    return set && row >= 0 ? this.#raw(i, set, row) : undefined;
  }

  /** Brings the decoder to the frame's tick. Scopes with an error are left empty; the others are applied all the same. */
  apply(frame: Frame): ScopeError[] {
    const { head } = frame;
    const errors: ScopeError[] = [];
    this.#watched = head.scopes;
    const watched = new Set(head.scopes.map(scopeOf));
    for (const scope of this.#scopes.keys()) if (!watched.has(scope)) this.#drop(scope);
    for (const scope of this.#halves.keys()) if (!watched.has(scope)) this.#halves.delete(scope);
    for (const scope of this.#lost) if (!watched.has(scope)) this.#lost.delete(scope);
    this.#tick = head.tick;
    for (const block of frame.blocks) {
      try {
        if (!watched.has(block.scope)) throw new BlockError("scope");
        this.#take(block);
        this.#lost.delete(block.scope);
      } catch (e) {
        this.#drop(block.scope);
        if (watched.has(block.scope)) this.#lost.add(block.scope);
        if (e instanceof BlockError) errors.push(new ScopeError(block.scope, "block", e.message));
        else if (e instanceof ScopeError) errors.push(e);
        else throw e;
      }
    }
    for (const w of head.scopes) {
      // A scope without a block has not changed, if it is one that this frame has.
      const h = this.#scopes.get(scopeOf(w));
      if (h && h.tick !== head.tick && head.tick % everyOf(w) === 0 && !this.#halves.has(scopeOf(w))) h.push(head.tick, h.newest!);
    }
    for (const { scope, sum } of frame.hashes) {
      const state = this.#scopes.get(scope)?.newest;
      if (state && this.#hash(scope, state) !== sum) {
        this.#drop(scope);
        this.#lost.add(scope);
        errors.push(new ScopeError(scope, "hash"));
      }
    }
    return errors;
  }

  #drop(scope: number): void {
    const state = this.#scopes.get(scope)?.newest;
    this.#scopes.delete(scope);
    this.#halves.delete(scope);
    if (state) this.#compare(state, []);
  }

  /** Tells of the rows in which two states of a scope differ. */
  #compare(was: State, is: State): void {
    this.#parts.forEach(({ table }, i) => {
      compare(was[i] ?? noRows, is[i] ?? noRows, (id) => this.touched(table, id));
    });
  }

  /** Applies a block, or puts a part of a keyframe to the others. */
  #take({ scope, data, part }: Block): void {
    if (!part) {
      this.#halves.delete(scope);
      this.#block(scope, this.#tick, data);
      return;
    }
    if (part.from === 0) this.#halves.set(scope, { part, data: [], bytes: 0 });
    const half = this.#halves.get(scope);
    if (!half || half.part.tick !== part.tick || half.part.size !== part.size || half.bytes !== part.from) throw noBase(scope);
    half.data.push(data);
    half.bytes += data.length;
    if (half.bytes < part.size) return;
    this.#halves.delete(scope);
    const whole = new Uint8Array(part.size);
    let at = 0;
    for (const d of half.data) {
      whole.set(d, at);
      at += d.length;
    }
    this.#block(scope, part.tick, whole);
  }

  /** Applies a whole block that leads to a tick. */
  #block(scope: number, now: number, data: Uint8Array): void {
    const r = new BitReader(data);
    const key = r.bit();
    const n = r.get(2) + 1;
    const gap = r.number(0) + 1;
    if (gap > (key ? 1 : MOST_GAP)) r.fail("gap");
    const before = this.#scopes.get(scope);
    const was = before?.newest ?? [];
    const history = key ? new History() : before;
    if (!history) throw noBase(scope);
    for (let i = key ? n - 1 : 0; i > 0; i--) { // a keyframe's older states
      const tick = (now - i) >>> 0;
      history.push(tick, this.#state(r, scope, history, tick, 1, n - 1 - i));
    }
    const state = this.#state(r, scope, history, now, gap, key ? n - 1 : n);
    r.done();
    history.push(now, state);
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
      if (!hasAudience(scope, part.to)) return noRows;
      const left = r.left;
      const rows = readPart(r, part, new Past(earlier.map((s) => s[i]!)));
      this.bits[part.table]! += left - r.left;
      return rows;
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
      if (!hasAudience(scope, part.to)) return;
      const { ids, values } = state[i]!;
      part.columns.forEach(({ index, field }, c) => {
        for (let row = 0; row < ids.length; row++) hash.add(part.table, index, field, ids[row]!, values[c]![row]!);
      });
    });
    return hash.value;
  }
}

function noBase(scope: number): ScopeError {
  return new ScopeError(scope, "base");
}
