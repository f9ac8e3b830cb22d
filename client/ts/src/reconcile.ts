import {
  type Field, KIND_ANGLE, KIND_FIXED, KIND_FLOAT32, KIND_FLOAT64, namesOwner, quantise, quantiseAngle,
} from "./field.js";
import { halves } from "./fixedmath.js";
import type { Row } from "./tables.js";

/** Rows by table and id, for rules to change in place: rows may be changed, added and removed. */
export type PredictedState = Record<string, Map<number, Row>>;

/** An input as rules see it. */
export interface PredictedInput<In> {
  readonly seat: number;
  readonly seq: number;
  readonly input: In;
}

/** What rules see while they advance a state by one tick. */
export interface PredictedStep<In> {
  readonly state: PredictedState;
  /** The tick that the state has after this step. */
  readonly tick: number;
  readonly inputs: readonly PredictedInput<In>[];
  /** False when a tick is run again that was predicted before: sounds and sparks must not come twice. */
  readonly live: boolean;
}

export interface PredictionOptions {
  /** Ticks per second. */
  readonly rate: number;
  readonly inputs: "samples" | "commands";
  /** Whose inputs they are. */
  readonly seat: number;
  /** By how many ticks the prediction may be ahead of the newest state. Default one second. */
  readonly ahead?: number;
  /** The time in milliseconds in which half of a correction is made up for. Default 60. */
  readonly halfLifeMs?: number;
  /**
   * The largest correction, in a column's own unit, that is smoothed; a row that is off by more jumps. Angles never jump
   * alone. Default: no bound.
   */
  readonly snap?: number;
}

/** Counts of a Prediction: states that came, of them those that differed from what was predicted, ticks run again. */
export interface PredictionStats {
  states: number;
  mispredicted: number;
  replayed: number;
  /** Inputs that were forgotten before the server had used them. */
  forgotten: number;
}

interface Kept<In> extends PredictedInput<In> {
  readonly tick: number;
}

interface Held<In> {
  readonly input: Kept<In>;
  readonly until: number; // the last tick at which it counts
}

interface PlannedTable {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly owner: Field | undefined;
  readonly smooth: readonly { readonly field: Field; readonly rest: number }[];
  offsets: Map<number, number[]>; // by row: of the smooth columns
}

const KEPT_INPUTS = 128;
const COMMANDS_A_TICK = 16;
const FLOAT_REST = 1e-3;
const TURN = 2 * Math.PI;

/**
 * Runs rules ahead of the server's states. A state that comes takes the place of what was predicted, and the inputs that
 * it does not contain are run again, up to the present. An input is used in the tick in which the server will use it,
 * and a sample holds for half a second.
 *
 * What it shows differs from what it predicts by corrections that decay, so that nothing jumps. The rules must be a
 * function of what they are given. It is netcode's Prediction, number for number where the rules are.
 */
export class Prediction<In> {
  readonly stats: PredictionStats = { states: 0, mispredicted: 0, replayed: 0, forgotten: 0 };

  readonly #step: (step: PredictedStep<In>) => void;
  readonly #tables: readonly PlannedTable[];
  readonly #commands: boolean;
  readonly #seat: number;
  readonly #hold: number; // ticks
  readonly #ahead: number;
  readonly #halfLife: number;
  readonly #snap: number;

  #have = false;
  #state: PredictedState = {};
  #tick = 0; // of the predicted state
  #truth = 0; // of the newest state that came
  #processed = 0; // in that
  #resumed = false; // the next state comes after a time without a connection

  #kept: Kept<In>[] = []; // the oldest first
  #base: Held<In> | undefined; // the sample that counts at the tick of the newest state
  #at: Held<In> | undefined; // at the predicted tick
  #next = 0; // which kept input was not used yet

  /** @param tables those of the schema that the rules need */
  constructor(
    tables: readonly { readonly name: string; readonly fields: readonly Field[] }[],
    step: (step: PredictedStep<In>) => void,
    options: PredictionOptions,
  ) {
    this.#step = step;
    this.#tables = tables.map(({ name, fields }) => ({
      name, fields, owner: fields.find(namesOwner), smooth: smoothOf(fields), offsets: new Map(),
    }));
    for (const { name } of this.#tables) this.#state[name] = new Map();
    this.#commands = options.inputs === "commands";
    this.#seat = options.seat;
    this.#hold = Math.max(1, Math.floor(options.rate / 2));
    this.#ahead = options.ahead ?? options.rate;
    this.#halfLife = options.halfLifeMs ?? 60;
    this.#snap = options.snap ?? Infinity;
  }

  /** The tick of state; 0 before the first reconcile. */
  get tick(): number {
    return this.#tick;
  }

  /** What is predicted; the caller only reads it. */
  get state(): PredictedState {
    return this.#state;
  }

  /**
   * Notes an input of the own seat that was sent for a tick. Sequences rise: others are passed over. It is used by
   * advance, in its tick or, where that was predicted already, in the next one. 128 are kept; then the oldest goes.
   */
  input(seq: number, tick: number, input: In): void {
    if (seq <= (this.#kept.at(-1)?.seq ?? 0)) return;
    if (this.#kept.length === KEPT_INPUTS) {
      if (this.#kept.shift()!.seq > this.#processed) this.stats.forgotten++;
      this.#next = Math.max(0, this.#next - 1);
    }
    this.#kept.push({ seat: this.#seat, seq, tick, input });
  }

  /** Predicts up to a tick, within the bound of the option ahead. Nothing before the first state; it never goes back. */
  advance(tick: number): void {
    if (this.#have) this.#run(tick, true);
  }

  /**
   * Takes up a state of the server: its tick, the newest own input in it, and its rows by table, which are copied. It
   * predicts the present anew from there.
   */
  reconcile(tick: number, processed: number, truth: Readonly<Record<string, Iterable<readonly [number, Row]>>>): void {
    this.stats.states++;
    const present = this.#tick;
    const was = this.#state;
    this.#state = {};
    for (const { name } of this.#tables) {
      this.#state[name] = new Map(Array.from(truth[name] ?? [], ([id, row]) => [id, { ...row }]));
    }
    this.#rebase(tick, processed);
    this.#tick = tick;
    this.#run(present, false);
    if (!this.#have) {
      this.#have = true;
      return;
    }
    const foreseen = this.#tables.every((t) => this.#foreseen(t, was[t.name]!));
    if (this.#tick === present && !foreseen) this.stats.mispredicted++;
    for (const t of this.#tables) this.#correct(t, was[t.name]!);
  }

  /** Takes up that the connection was lost and is there again: the server has let go of the sample that it held. */
  resume(): void {
    this.#resumed = true;
  }

  /** Lets what is shown approach what is predicted, by the milliseconds that have passed. */
  decay(ms: number): void {
    const part = halves(ms / this.#halfLife);
    for (const t of this.#tables) {
      for (const offset of t.offsets.values()) {
        t.smooth.forEach(({ rest }, i) => {
          const d = offset[i]! * part;
          offset[i] = Math.abs(d) < rest ? 0 : d;
        });
      }
    }
  }

  /** What is predicted of a row with corrections smoothed: what a player should see. */
  shown(table: string, id: number): Row | undefined {
    const row = this.#state[table]?.get(id);
    const t = this.#tables.find(({ name }) => name === table);
    const offset = t?.offsets.get(id);
    if (!row || !t || !offset) return row;
    const out = { ...row };
    t.smooth.forEach(({ field }, i) => {
      if (offset[i] !== 0) out[field.name] = (row[field.name] as number) + offset[i]!;
    });
    return out;
  }

  #run(tick: number, live: boolean): void {
    while (this.#tick < tick && this.#tick - this.#truth < this.#ahead) {
      this.#tick++;
      if (!live) this.stats.replayed++;
      this.#step({ state: this.#state, tick: this.#tick, inputs: this.#inputs(), live });
    }
  }

  /** The inputs of the tick. */
  #inputs(): PredictedInput<In>[] {
    const list: PredictedInput<In>[] = [];
    for (; list.length < COMMANDS_A_TICK; this.#next++) {
      const kept = this.#kept[this.#next];
      if (!kept || kept.tick > this.#tick) break;
      if (this.#commands) list.push(kept);
      else this.#at = { input: kept, until: this.#tick + this.#hold };
    }
    if (!this.#commands && this.#at && this.#at.until >= this.#tick) list.push(this.#at.input);
    return list;
  }

  /** Works out which inputs the truth does not have, and which sample holds in it. */
  #rebase(tick: number, processed: number): void {
    this.#next = this.#kept.findIndex(({ seq }) => seq > processed);
    if (this.#next < 0) this.#next = this.#kept.length;
    if (this.#resumed) {
      this.#base = undefined; // a drop lets go of the controls
    } else if (processed !== this.#processed) {
      // It was used in its tick or, if it was late, in the first one since the state before: right, but where a state was
      // skipped as well, and then wrong for the end of the hold alone.
      const input = this.#kept[this.#next - 1];
      const used = Math.min(tick, Math.max(input?.tick ?? 0, this.#truth + 1));
      this.#base = input?.seq === processed ? { input, until: used + this.#hold } : undefined;
    }
    this.#resumed = false;
    this.#at = this.#base;
    this.#truth = tick;
    this.#processed = processed;
  }

  /** Whether what is predicted is what was; rows of other seats do not count: nobody can know what their players do. */
  #foreseen(t: PlannedTable, was: Map<number, Row>): boolean {
    const now = this.#state[t.name]!;
    const own = (row: Row | undefined) => row !== undefined && (!t.owner || row[t.owner.name] === this.#seat);
    for (const id of new Set([...was.keys(), ...now.keys()])) {
      const [a, b] = [was.get(id), now.get(id)];
      if (own(a) !== own(b)) return false;
      if (own(a) && !t.fields.every((f) => near(f, a![f.name], b![f.name]))) return false;
    }
    return true;
  }

  /** What is shown stays where it is, but where a column is off by more than snap, or a row is new. */
  #correct(t: PlannedTable, was: Map<number, Row>): void {
    const offsets = new Map<number, number[]>();
    for (const [id, row] of this.#state[t.name]!) {
      const before = was.get(id);
      if (!before) continue;
      const last = t.offsets.get(id);
      const offset: number[] = [];
      for (const { field } of t.smooth) {
        let d = (before[field.name] as number) + (last?.[offset.length] ?? 0) - (row[field.name] as number);
        if (field.kind === KIND_ANGLE) d -= Math.floor(d / TURN + 0.5) * TURN;
        if ((field.kind !== KIND_ANGLE && !(Math.abs(d) <= this.#snap)) || !Number.isFinite(d)) break;
        offset.push(d);
      }
      // Whoever jumps in one column has jumped.
      if (offset.length === t.smooth.length) offsets.set(id, offset);
    }
    t.offsets = offsets;
  }
}

/** The columns that are smoothed, with the offset below which there is none. */
function smoothOf(fields: readonly Field[]): { field: Field; rest: number }[] {
  return fields.flatMap((field) => {
    switch (field.kind) {
      case KIND_FIXED:
        return [{ field, rest: field.step / 4 }];
      case KIND_ANGLE:
        return [{ field, rest: TURN / 2 ** field.bits / 4 }];
      case KIND_FLOAT32:
      case KIND_FLOAT64:
        return [{ field, rest: FLOAT_REST }];
      default:
        return [];
    }
  });
}

/**
 * Whether two values of a column are the same on the wire's grid: what is quantised may differ by one step, since
 * numbers that differ by a last bit may round apart.
 */
function near(f: Field, a: Row[string] | undefined, b: Row[string] | undefined): boolean {
  if (f.kind === KIND_FIXED) return Math.abs(quantise(f, a as number) - quantise(f, b as number)) <= 1;
  if (f.kind === KIND_ANGLE) {
    const d = Math.abs(quantiseAngle(f, a as number) - quantiseAngle(f, b as number));
    return d <= 1 || d === 2 ** f.bits - 1;
  }
  if (f.kind === KIND_FLOAT32) return Object.is(Math.fround(a as number), Math.fround(b as number));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return a.length === b.length && a.every((v, i) => v === b[i]);
  return Object.is(a, b);
}
