import {
  elementsOf, type Field, isPredicted, namesOwner, quantise, quantiseAngle, sameValue, type Value,
} from "./field.js";
import { KIND_ANGLE, KIND_FIXED, KIND_FLOAT32, KIND_FLOAT64, KIND_REF } from "./kinds.js";
import type { EventType } from "./schema.js";
import type { Row } from "./tables.js";

/** Rows by table and id, for rules to change in place: rows may be changed, added and removed. */
export type PredictedState = Record<string, Map<number, Row>>;

/** An input as rules see it. */
export interface PredictedInput<In> {
  readonly seat: number;
  readonly seq: number;
  readonly input: In;
  /** The tick, with its fraction, of what the player saw of others when he made it. */
  readonly view: number;
}

/** What rules see while they advance a state by one tick. */
export interface PredictedStep<In> {
  /** Rows may have properties that the server does not send: a row keeps those that the rules gave it. */
  readonly state: PredictedState;
  /** The tick that the state has after this step. */
  readonly tick: number;
  /** Ticks per second. */
  readonly rate: number;
  /** The length of a tick in seconds. */
  readonly dt: number;
  /** The own seat. */
  readonly seat: number;
  readonly inputs: readonly PredictedInput<In>[];
  /** The newest of the inputs. */
  readonly input: In | undefined;
  /**
   * True once for a tick, when it is over: what happens in it must not be heard twice. Up to then it may run again and
   * again, with inputs that come. What emit tells is told at once.
   */
  readonly live: boolean;
  /**
   * Adds a row under an id below 0, which stays the same when the tick runs again, until the server's own row takes the
   * place of it. Returns the id; 0 where there are 64 such rows.
   */
  spawn(table: string, row: Row): number;
  /** Tells an event of the game's at once, once, however often the tick runs; nothing while states are made up for. */
  emit(name: string, fields: Readonly<Record<string, Value>>): void;
}

/** Hears an event that was predicted, and for which tick. */
export type PredictedEvent = (name: string, fields: Readonly<Record<string, Value>>, tick: number) => void;

/** Whose prediction it is, and how it shows and tells what it predicts. */
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
  /**
   * By how many ticks the server's row or event may be off the predicted one that it is taken for. Default a fifth of a
   * second.
   */
  readonly window?: number;
  /** The game's events: those that rules may emit. */
  readonly events?: readonly EventType[];
  /** Called for an event that the rules emit, when the tick has run. */
  readonly onEvent?: PredictedEvent;
  /** Called for an event that onEvent was called for and that the server did not send within the window. */
  readonly onUnconfirmed?: PredictedEvent;
}

/** Counts of a Prediction. */
export interface PredictionStats {
  /** States that came; of them those after which the present was another than had been predicted. */
  states: number;
  mispredicted: number;
  /** Ticks that states made run again. */
  replayed: number;
  /** Inputs that were forgotten before the server had used them. */
  forgotten: number;
  /**
   * By how much the newest state moved the own row that was off most, before smoothing: the distance in the columns
   * marked predict, or in all ranges and floats of a table without a mark.
   */
  error: number;
  /** Events that were told ahead and that the server sent as well, and that it did not send. */
  confirmed: number;
  unconfirmed: number;
  /** Rows that were added ahead and of which the server's came, and that were taken back. */
  adopted: number;
  withdrawn: number;
}

/** A table with what a prediction does with its columns. */
export interface PlannedTable {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly owner: Field | undefined;
  readonly smooth: readonly SmoothField[];
  /** What the server sends, by name; null: of a slice. */
  readonly columns: ReadonlyMap<string, Field | null>;
  /** Those that an error is measured in. */
  readonly far: readonly SmoothField[];
  /** The rows of the newest state. */
  known: ReadonlySet<number>;
  /** By row, of the smooth columns: how far what is shown is from what is predicted, */
  offsets: ReadonlyMap<number, number[]>;
  /** and what was shown before a correction. */
  seen: Map<number, number[]>;
}

/** A column that is smoothed: a range's, an angle's or a float's that is not in a slice. */
export interface SmoothField {
  readonly field: Field;
  /** A smaller offset is none. */
  readonly rest: number;
}

/** An event that was told ahead. */
export interface Told {
  readonly type: EventType;
  readonly fields: Readonly<Record<string, Value>>;
  readonly tick: number;
  /** By an event that the rules emitted. */
  claimed: boolean;
  told?: boolean;
  /** By the server's. */
  confirmed?: boolean;
}

const FLOAT_REST = 1e-3;
const JUST_WITHIN = 0.49; // steps: how far a number is from the one that it is only just rounded to
const TURN = 2 * Math.PI;

/** What a prediction does with a table of a schema. */
export function planOf({ name, fields }: { readonly name: string; readonly fields: readonly Field[] }): PlannedTable {
  const elements = elementsOf(fields);
  const smooth: SmoothField[] = [];
  fields.forEach((field, i) => {
    const { kind, step, bits } = field;
    if (elements[i]) return; // it may be another one after a correction
    if (kind === KIND_FIXED) smooth.push({ field, rest: step / 4 });
    if (kind === KIND_FLOAT32 || kind === KIND_FLOAT64) smooth.push({ field, rest: FLOAT_REST });
    if (kind === KIND_ANGLE) smooth.push({ field, rest: TURN / 2 ** bits / 4 });
  });
  const straight = smooth.filter(({ field }) => field.kind !== KIND_ANGLE);
  const marked = straight.filter(({ field }) => isPredicted(field));
  return {
    name, fields, owner: fields.find(namesOwner), smooth, far: marked.length ? marked : straight,
    columns: new Map(fields.map((f, i) => [f.name, elements[i] ? null : f])),
    known: new Set(), offsets: new Map(), seen: new Map(),
  };
}

/** A map with the same keys. */
export function mapped<T, U>(map: ReadonlyMap<number, T>, to: (value: T, id: number) => U): Map<number, U> {
  return new Map(Array.from(map, ([id, value]) => [id, to(value, id)]));
}

export function copyOf(state: PredictedState): PredictedState {
  const copy: PredictedState = {};
  for (const name in state) copy[name] = mapped(state[name]!, (row) => ({ ...row }));
  return copy;
}

export function rename<T>(rows: Map<number, T>, from: number, to: number): void {
  const row = rows.get(from);
  if (row && rows.delete(from)) rows.set(to, row);
}

/**
 * A row of the server's with what the rules know better: what is not sent, and exact numbers where they are the same on its
 * grid. One that is only just not the same is moved only just as far as it must be: tick by tick it comes closer to the
 * server's own exact number.
 */
export function merge(t: PlannedTable, truth: Row, known: Row | undefined): Row {
  const row = { ...truth };
  for (const name in known) {
    const f = t.columns.get(name);
    const [a, b] = [known[name]!, truth[name]];
    if (f === undefined) row[name] = a;
    else if (f && a !== b && isOnGrid(f)) {
      const off = offBy(f, a, b);
      if (off === 0) row[name] = a;
      if (Math.abs(off) === 1) row[name] = valueAt(f, steps(f, b) + JUST_WITHIN * off);
    }
  }
  return row;
}

/** By how many steps of the wire's grid a is more than b, the short way round for angles. */
export function offBy(f: Field, a: Value | undefined, b: Value | undefined): number {
  const d = steps(f, a) - steps(f, b);
  return f.kind === KIND_ANGLE ? d - Math.floor(d / 2 ** f.bits + 0.5) * 2 ** f.bits : d;
}

/** The number that is so many steps along the wire's grid. */
function valueAt(f: Field, n: number): number {
  if (f.kind !== KIND_ANGLE) return f.min + n * f.step;
  return (n < 0 ? n + 2 ** f.bits : n) * (TURN / 2 ** f.bits);
}

/** How far two rows are from each other. */
export function distance(t: PlannedTable, a: Row, b: Row): number {
  let sum = 0;
  for (const { field } of t.far) {
    const d = (a[field.name] as number) - (b[field.name] as number);
    sum += d * d;
  }
  return Math.sqrt(sum);
}

/** a - b, the short way round for angles. */
export function difference(f: Field, a: number, b: number): number {
  const d = a - b;
  return f.kind === KIND_ANGLE ? d - Math.floor(d / TURN + 0.5) * TURN : d;
}

/** Whether a column's numbers are quantised on the wire. */
export function isOnGrid(f: Field): boolean {
  return f.kind === KIND_FIXED || f.kind === KIND_ANGLE;
}

/** A number on the wire's grid. */
function steps(f: Field, v: Value | undefined): number {
  return f.kind === KIND_ANGLE ? quantiseAngle(f, v as number) : quantise(f, v as number);
}

export function sameEvent(t: Told, name: string, fields: Told["fields"]): boolean {
  return t.type.name === name && t.type.fields.every((f) => near(f, t.fields[f.name], fields[f.name]));
}

/**
 * Whether two values of a column are the same on the wire's grid: what is quantised may differ by one step, since
 * numbers that differ by a last bit may round apart. A row that was added ahead may be any.
 */
export function near(f: Field, a: Value | undefined, b: Value | undefined): boolean {
  if (isOnGrid(f)) return Math.abs(offBy(f, a, b)) <= 1;
  if (f.kind === KIND_REF && (a as number < 0 || b as number < 0)) return true;
  if (f.kind === KIND_FLOAT32) return Object.is(Math.fround(a as number), Math.fround(b as number));
  return sameValue(a, b);
}
