/**
 * `@muster/client/vectors`: holds a step that predicts against the rules that a server runs, for tests. A test in Go
 * records what one player sees of a match, and what he does (netcode/vectors); here the game's step plays that.
 *
 * @module vectors
 */

import { Decoder } from "./decoder.js";
import { readEvent, readValue } from "./event.js";
import { type Field, sameValue } from "./field.js";
import { noHead, readFrame } from "./frame.js";
import { openMessage } from "./from_server.js";
import { distance, isOnGrid, offBy, planOf, type PlannedTable } from "./predicted.js";
import { Reader } from "./reader.js";
import { type PredictedStep, Prediction } from "./reconcile.js";
import { Schema } from "./schema.js";
import { type Row, Tables } from "./tables.js";

/** A recorded match, as netcode/vectors writes it. What is hexadecimal is as on the wire. */
export interface StepVectors {
  readonly schema: string;
  readonly rate: number;
  readonly inputs: string; // samples or commands
  readonly seat: number;
  readonly ticks: readonly {
    readonly inputs?: readonly string[];
    readonly view?: number;
    readonly events?: readonly string[];
    readonly frame: string;
  }[];
}

/** That the step makes something else of a row than the server does. */
export interface Difference {
  readonly tick: number;
  readonly table: string;
  /** On the wire; below 0 where the server has no such row. */
  readonly row: number;
  /** Undefined where it is about the row itself, or an event. */
  readonly column: string | undefined;
  readonly want: unknown;
  readonly got: unknown;
  /** How far off it is, in steps of the wire's grid; 0 of what is not on one. */
  readonly steps: number;
}

/** The first difference. */
export class DifferenceError extends Error implements Difference {
  override readonly name = "DifferenceError";
  readonly tick: number;
  readonly table: string;
  readonly row: number;
  readonly column: string | undefined;
  readonly want: unknown;
  readonly got: unknown;
  readonly steps: number;

  constructor(d: Difference) {
    super(`tick ${d.tick}: ${d.table}[${d.row}]${d.column ? `.${d.column}` : ""}: want ${String(d.want)}, got ${String(d.got)}`);
    this.tick = d.tick;
    this.table = d.table;
    this.row = d.row;
    this.column = d.column;
    this.want = d.want;
    this.got = d.got;
    this.steps = d.steps;
  }
}

/** What is held against the recording. */
export interface VectorOptions {
  /** The tables that the step has; all by default. */
  readonly tables?: readonly string[];
  /**
   * Says of a difference that the step cannot know better: it is passed over, and the server's state counts from there
   * on.
   */
  readonly ignore?: (difference: Difference) => boolean;
}

/** What was compared: ticks that were played, columns that were equal, differences that were ignored. */
export interface VectorResult {
  ticks: number;
  equal: number;
  ignored: number;
}

/**
 * Runs a step in a client that has no delay over a recording, and compares its own rows, and those of tables without
 * owners, with the server's after each tick, on the wire's grid. Throws a DifferenceError for the first difference.
 * Events that the step emits must be among those that the server sent in the tick.
 *
 * @param step as match.predict takes it
 */
export function playVectors<Step extends object>(
  file: StepVectors, step: (step: Step) => void, options: VectorOptions = {},
): VectorResult {
  const schema = Schema.parse(unhex(file.schema));
  const plans = schema.tables.filter(({ name }) => options.tables?.includes(name) ?? true).map(planOf);
  const decoder = new Decoder(schema);
  const quiet = () => {};
  const tables = new Tables(decoder, quiet);
  const result: VectorResult = { ticks: 0, equal: 0, ignored: 0 };
  const differ = (d: Omit<Difference, "steps">, steps = 0) => {
    if (!options.ignore?.({ ...d, steps })) throw new DifferenceError({ ...d, steps });
    result.ignored++;
  };
  const prediction = new Prediction<Row>(plans, step as unknown as (step: PredictedStep<Row>) => void, {
    rate: file.rate, inputs: file.inputs === "commands" ? "commands" : "samples", seat: file.seat, events: schema.events, window: 1,
    onUnconfirmed: (name, fields, tick) => {
      differ({ tick, table: name, row: 0, column: undefined, want: "no event", got: JSON.stringify(fields) });
    },
  });
  let seq = 0;
  let head = noHead;
  file.ticks.forEach(({ inputs = [], view = 0, events = [], frame: bytes }, i) => {
    const frame = readFrame(openMessage(unhex(bytes)), head);
    head = frame.head;
    const [error] = decoder.apply(frame);
    if (error) throw error;
    tables.update();
    const { tick } = head;
    for (const body of inputs) prediction.input(++seq, tick, readInput(schema.input, unhex(body)), view);
    if (i > 0) {
      prediction.advance(tick);
      for (const t of plans) compareTable(t, file.seat, tick, new Map(tables.views[t.name]!), prediction.state[t.name]!, result, differ);
      result.ticks++;
    }
    for (const body of events) {
      const event = readEvent(schema, unhex(body));
      if (event.kind === "game") prediction.confirm(event.name, event.fields, tick);
    }
    prediction.reconcile(tick, seq, tables.views);
  });
  // The events of the last ticks are still awaited. So far ahead nothing is run any more.
  prediction.reconcile(head.tick + file.rate + 2, seq, tables.views);
  return result;
}

function compareTable(
  t: PlannedTable, seat: number, tick: number, truth: Map<number, Row>, predicted: ReadonlyMap<number, Row>,
  result: VectorResult, differ: (d: Omit<Difference, "steps">, steps?: number) => void,
): void {
  const owns = (row: Row) => !t.owner || row[t.owner.name] === seat;
  const at = { tick, table: t.name };
  const left = new Map([...predicted].filter(([, row]) => owns(row)));
  for (const [id, want] of truth) {
    if (!owns(want)) continue;
    const from = left.has(id) ? id : nearest(t, want, left);
    const got = left.get(from);
    left.delete(from);
    if (!got) {
      differ({ ...at, row: id, column: undefined, want: "a row", got: "none" });
      continue;
    }
    for (const f of t.fields) {
      const [a, b] = [want[f.name], got[f.name]];
      const grid = isOnGrid(f) && typeof a === "number" && typeof b === "number";
      const off = grid ? Math.abs(offBy(f, a, b)) : 0;
      if (grid ? off === 0 : sameValue(a, b)) result.equal++;
      else differ({ ...at, row: id, column: f.name, want: a, got: b }, off);
    }
  }
  for (const [id] of left) differ({ ...at, row: id, column: undefined, want: "none", got: "a row" });
}

/** The row that was added ahead and that a row of the server's is nearest to; 0 where there is none. */
function nearest(t: PlannedTable, row: Row, among: ReadonlyMap<number, Row>): number {
  let best = 0;
  let least = Infinity;
  for (const [id, of] of among) {
    const d = id < 0 ? distance(t, of, row) : Infinity;
    if (d < least) [best, least] = [id, d];
  }
  return best;
}

function readInput(fields: readonly Field[], body: Uint8Array): Row {
  const r = new Reader(body);
  const n = r.array(256);
  const input: Row = {};
  for (const f of fields) input[f.name] = readValue(r, f);
  r.skipRest(n, fields.length);
  r.done();
  return input;
}

function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}
