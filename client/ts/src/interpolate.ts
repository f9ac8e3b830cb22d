// What a viewer sees between two states, with the same bits as the server's own view of it (Step.Rewind in Go): 64-bit
// floats, each operation rounded on its own.
//
// A float glides: it is on the straight line between its two values, an angle on the shorter of its two ways. All else
// is that of the earlier state until the later one is reached. So are rows: one that is in the earlier state alone is
// there until then, one that is in the later state alone is not there before.

import { type Field, quantise, quantiseAngle, wrap } from "./field.js";
import { KIND_ANGLE, KIND_FIXED, KIND_FLOAT32, KIND_FLOAT64 } from "./kinds.js";
import type { Schema } from "./schema.js";
import type { Row } from "./tables.js";

/**
 * What a row that is in two states shows at a position between them: a is at 0, b at 1, and beyond 1 the columns that
 * glide go on as they did, a range's no further than its end. The result is one of the two rows when nothing glides.
 */
export function interpolateRow(fields: readonly Field[], a: Row, b: Row, at: number): Row {
  const base = at < 1 ? a : b;
  if (at <= 0 || at === 1) return base;
  let row = base;
  for (const f of fields) {
    const [x, y] = [a[f.name], b[f.name]];
    // A column for a row's owner is in both rows only if both are this player's.
    if (typeof x !== "number" || typeof y !== "number" || Object.is(x, y)) continue;
    const v = between(f, x, y, at);
    if (v === undefined) continue;
    if (row === base) row = { ...base };
    row[f.name] = v;
  }
  return row;
}

/** Whether a column is anywhere between two of its values. */
function glides({ kind }: Field): boolean {
  return kind === KIND_FIXED || kind === KIND_ANGLE || kind === KIND_FLOAT32 || kind === KIND_FLOAT64;
}

/** Undefined where the column does not glide, and where a raw float is not finite. */
function between(f: Field, x: number, y: number, at: number): number | undefined {
  if (f.kind === KIND_FIXED) {
    const [from, to] = [quantise(f, x), quantise(f, y)];
    return f.min + Math.max(0, Math.min(from + (to - from) * at, f.top)) * f.step;
  }
  if (f.kind === KIND_ANGLE) {
    const turn = 2 ** f.bits;
    const from = quantiseAngle(f, x);
    let by = wrap(quantiseAngle(f, y) - from, turn);
    if (by >= turn / 2) by -= turn;
    let n = from + by * at;
    n -= Math.floor(n / turn) * turn;
    if (n >= turn) n = 0; // what was just below zero
    return n * ((2 * Math.PI) / turn);
  }
  if (!glides(f)) return undefined;
  const v = x + (y - x) * at;
  const rounded = f.kind === KIND_FLOAT32 ? Math.fround(v) : v;
  return Number.isFinite(rounded) ? rounded : undefined;
}

/**
 * How a table's rows are shown. Interpolate: between two states, a little late and evenly. Extrapolate: where they are
 * at the server's present time if they go on as they did in the last two states, for at most maxDelay ticks. Raw: as the
 * newest state has them.
 */
export type ViewMode = "interpolate" | "extrapolate" | "raw";

/** All times in ticks. */
export interface PlayoutOptions<S = Record<string, Row>> {
  /** Default: interpolate. */
  tables?: { readonly [K in keyof S]?: ViewMode };
  /** How far behind the server's time the shown one is at least. Default 1. The way from the server is part of it. */
  minDelay?: number;
  /** How far at most. Default 10, at most 100. More keeps more states, and shows older ones on a bad line. */
  maxDelay?: number;
  /** For how long rows go on as they did when no newer state has come; then they stand still. Default 2; 0: none. */
  extrapolate?: number;
  /**
   * How much faster than time what is shown runs at most, at least 1, when it makes up for a gap in which it stood still;
   * longer ones than 60 ticks beyond maxDelay it jumps over. Default: it jumps over all; in a match's view 2.
   */
  catchUp?: number;
  /**
   * By how much a column that glides, in its own unit, changes at most from one state to the next: a row in which one
   * changes by more was put elsewhere, and neither glides there nor goes on so. Angles do not count. Default: no bound.
   */
  snap?: number;
}

/** What is shown at a time. S has the row type of each table. */
export interface Shown<S = Record<string, Row>> {
  /** The time that interpolated rows show, in ticks: its whole part and its fraction are what setView takes. */
  readonly tick: number;
  /** By table, the rows by id. */
  readonly tables: { readonly [K in keyof S]: ReadonlyMap<number, S[K]> };
}

interface Kept {
  readonly tick: number;
  readonly tables: readonly ReadonlyMap<number, Row>[];
}

/** Fills in what is left out. Throws a RangeError. */
export function checkPlayout<S>(options: PlayoutOptions<S>): Required<Omit<PlayoutOptions, "tables">> {
  const { minDelay = 1, maxDelay = 10, extrapolate = 2, catchUp = Infinity, snap = Infinity } = options;
  const all = { minDelay, maxDelay, extrapolate, catchUp, snap };
  const allowed = minDelay >= 0 && minDelay <= maxDelay && maxDelay <= 100 && extrapolate >= 0 && extrapolate <= 100 && catchUp >= 1 && snap > 0;
  if (!allowed) throw new RangeError(`view options out of range: ${JSON.stringify(all)}`);
  return all;
}

const SPARE_TO_CATCH_UP = 60;
const SPARE = 8; // states kept beyond those of the longest delay: for a server that is ahead of its estimate

/**
 * A buffer of states that come from the server. It shows them a little late, so that there is mostly a state on both
 * sides of the time shown, and rows move evenly however unevenly frames arrive. All times that it is given are the
 * server's, in ticks with their fraction, as Match.serverTick estimates them: it has no clock.
 */
export class Playout<S = Record<string, Row>> {
  readonly #extrapolate: number;
  readonly #pace: Pace;
  readonly #tables: readonly { readonly name: string; readonly mode: ViewMode; readonly glide: readonly Field[] }[];
  readonly #maxDelay: number;
  readonly #catchUp: number;
  readonly #snap: number;
  readonly #most: number;
  #kept: Kept[] = []; // by tick
  #time = -Infinity; // up to which there was time to show; it never goes back
  #shown = -Infinity; // the time that was shown last, and when
  #shownAt = 0;

  constructor(schema: Schema, options: PlayoutOptions<S> = {}) {
    const { minDelay, maxDelay, extrapolate, catchUp, snap } = checkPlayout(options);
    const modes = (options.tables ?? {}) as Readonly<Record<string, ViewMode | undefined>>;
    this.#tables = schema.tables.map(({ name, fields }) => {
      return { name, mode: modes[name] ?? "interpolate", glide: fields.filter(glides) };
    });
    this.#maxDelay = maxDelay;
    this.#extrapolate = extrapolate;
    this.#catchUp = catchUp;
    this.#snap = snap;
    this.#pace = new Pace(minDelay, maxDelay);
    this.#most = Math.ceil(maxDelay) + (this.#catchUp < Infinity ? SPARE_TO_CATCH_UP : SPARE);
  }

  /** Forgets all states: a new epoch may count ticks from an earlier one. What was learned of the line stays. */
  reset(): void {
    this.#kept = [];
    this.#time = this.#shown = -Infinity;
  }

  /** How many ticks behind the server's time the shown one is meant to be. */
  get delay(): number {
    return this.#pace.delay;
  }

  /**
   * Takes in the rows of a tick, by table, which arrived when the server's time was now. States may come in any order;
   * one whose tick is there already is ignored, and so is one that is older than all of a full buffer.
   */
  push(tick: number, views: { readonly [K in keyof S]?: Iterable<[number, S[K]]> }, now: number): void {
    const byName = views as Readonly<Record<string, Iterable<[number, Row]> | undefined>>;
    const kept = this.#kept;
    const n = kept.length;
    let i = n;
    while (i > 0 && kept[i - 1]!.tick >= tick) i--;
    if (kept[i]?.tick === tick || (i === 0 && n === this.#most)) return;
    if (i === n) this.#pace.arrived(tick, n === 0 ? 1 : tick - kept[n - 1]!.tick, now);
    // Rows never change, so that they need no copies.
    kept.splice(i, 0, { tick, tables: this.#tables.map((t) => new Map(byName[t.name] ?? [])) });
    if (kept.length > this.#most) kept.shift();
  }

  /**
   * What is shown when the server's time is now; undefined while there is no state at all. The time shown never goes
   * back: where the delay grows, it stands still for as long.
   */
  at(now: number): Shown<S> | undefined {
    const kept = this.#kept;
    const last = kept.at(-1);
    if (!last) return undefined;
    const time = now - this.#pace.delay;
    if (time > this.#time) this.#time = time;
    this.#time = Math.max(this.#time, kept[0]!.tick); // what is older can still come, and is not shown any more
    let shown = Math.min(this.#time, last.tick + this.#extrapolate);
    const late = shown - this.#shown;
    const most = Math.max(0, now - this.#shownAt) * this.#catchUp;
    if (late > most && late < this.#most) shown = Math.max(this.#shown + most, kept[0]!.tick);
    this.#shownAt = now;
    let i = kept.length - 1; // the first state after the time shown, or the last there is
    while (i > 0 && kept[i - 1]!.tick > shown) i--;
    const later = kept[i]!;
    const earlier = kept[Math.max(0, i - 1)]!;
    let at = 1;
    if (earlier === later) shown = Math.min(shown, later.tick); // nothing to go on from
    else at = (shown - earlier.tick) / (later.tick - earlier.tick);
    this.#shown = shown;
    const before = kept[Math.max(0, kept.length - 2)]!;
    const ahead = Math.min(now, last.tick + this.#maxDelay) - before.tick;
    const present = before === last ? 1 : ahead / (last.tick - before.tick);
    return {
      tick: shown,
      tables: Object.fromEntries(this.#tables.map(({ name, mode, glide }, i) => {
        if (mode === "raw") return [name, last.tables[i]!];
        if (mode === "extrapolate") return [name, mix(glide, before.tables[i]!, last.tables[i]!, Math.max(1, present), this.#snap)];
        return [name, mix(glide, earlier.tables[i]!, later.tables[i]!, at, this.#snap)];
      })) as unknown as Shown<S>["tables"],
    };
  }
}

/** The rows of a table at a position between two states, or beyond the later one. */
function mix(
  fields: readonly Field[], from: ReadonlyMap<number, Row>, to: ReadonlyMap<number, Row>, at: number, snap: number,
): ReadonlyMap<number, Row> {
  const rows = new Map<number, Row>();
  for (const [id, row] of at < 1 ? from : to) {
    const [x, y] = [from.get(id), to.get(id)];
    rows.set(id, x && y && !elsewhere(fields, x, y, snap) ? interpolateRow(fields, x, y, at) : row);
  }
  return rows;
}

function elsewhere(fields: readonly Field[], x: Row, y: Row, snap: number): boolean {
  return snap < Infinity && fields.some(({ kind, name }) => {
    return kind !== KIND_ANGLE && Math.abs((y[name] as number) - (x[name] as number)) > snap;
  });
}

const PACE_FOLLOW = 1 / 16; // how fast, per state, mean and deviation follow
const PACE_SPREAD = 3; // deviations
const PACE_FIRST = 0.5; // the deviation, in ticks, before it was measured
const PACE_SHRINK = 1 / 32; // by how much the delay shrinks, per tick: so much faster than time the shown one runs

/**
 * Measures how late states come and says how far behind to show them. When a state arrives, the time since the one
 * before it is what the delay would have had to be for the buffer not to run dry: the way, its jitter and the gap
 * between frames in one number. The delay is at least its smoothed mean and three mean deviations (as the
 * retransmission timer of RFC 6298 has four). It grows at once to what was needed and shrinks slowly.
 */
class Pace {
  delay: number;
  readonly #least: number;
  readonly #most: number;
  #mean: number | undefined;
  #spread = PACE_FIRST;

  constructor(least: number, most: number) {
    this.delay = this.#least = least;
    this.#most = most;
  }

  /** Notes that the state of a tick arrived, which is gap ticks after the one before it. */
  arrived(tick: number, gap: number, now: number): void {
    let need = now - (tick - gap);
    if (!(need > 0)) need = 0;
    need = Math.min(need, this.#most);
    if (this.#mean === undefined) {
      this.#mean = need;
    } else {
      const miss = need - this.#mean;
      this.#mean += miss * PACE_FOLLOW;
      this.#spread += (Math.abs(miss) - this.#spread) * PACE_FOLLOW;
    }
    const steady = this.#mean + PACE_SPREAD * this.#spread;
    const delay = Math.max(steady, need, this.delay - gap * PACE_SHRINK);
    this.delay = Math.max(this.#least, Math.min(delay, this.#most));
  }
}
