import { namesOwner, type Value } from "./field.js";
import type { Shown } from "./interpolate.js";
import type { AnyEvents } from "./match_callbacks.js";
import type { MatchInfo } from "./play.js";
import { type PredictedStep, Prediction, type PredictionStats } from "./reconcile.js";
import type { Schema, Table } from "./schema.js";
import type { Row } from "./tables.js";

/** What a step sees of the match while it advances it by one tick. */
export interface PredictStep<S = Record<string, Row>, In = Row, Ev = AnyEvents> {
  /** The tick that the state has after this step. */
  readonly tick: number;
  /** Ticks per second, and seconds per tick. */
  readonly rate: number;
  readonly dt: number;
  /** True once for a tick, when it is over; up to then and after a correction it may run again: sounds must not. */
  readonly live: boolean;
  /** The own seat. */
  readonly seat: number;
  /** The rows of the predicted tables by id, to be changed in place, added and removed. A value's id is 1. */
  readonly state: { readonly [K in keyof S]: Map<number, S[K]> };
  /**
   * The own inputs of the tick, the oldest first: at most one where the game takes samples. view is what the player looked
   * at when he made it: a tick with its fraction.
   */
  readonly inputs: readonly { readonly seat: number; readonly seq: number; readonly view: number; readonly input: In }[];
  /** The newest of inputs. */
  readonly input: In | undefined;
  /**
   * Adds a provisional row and returns its id, which is negative; 0 where there are 64 already. The server's row takes
   * its place when it comes; where none does, the row goes.
   */
  spawn<K extends keyof S & string>(table: K, row: S[K]): number;
  /** Tells onEvent of an event that the server will probably send: at once, and once, however often the tick runs. */
  emit<K extends keyof Ev & string>(name: K, fields: Ev[K]): void;
}

/** What match.predict takes. */
export interface PredictOptions<S = Record<string, Row>, In = Row, Ev = AnyEvents> {
  /** Those whose rows the step needs. */
  readonly tables: readonly (keyof S & string)[];
  /**
   * Advances the rows by one tick, as the game's rules do, with what this player sees and does. A function of what it is
   * given: it reads no clock and no random numbers, and it keeps nothing.
   */
  readonly step: (step: PredictStep<S, In, Ev>) => void;
  /** The time in milliseconds in which half of a correction is made up for. Default 60. */
  readonly halfLifeMs?: number;
  /** The largest correction, in a column's own unit, that is smoothed; what is off by more jumps. Default: no bound. */
  readonly snap?: number;
}

/** A match's prediction. */
export interface Predicted<S = Record<string, Row>> {
  readonly stats: Readonly<PredictionStats>;
  /** The predicted tick; 0 before the first frame. */
  readonly tick: number;
  /** The predicted rows, without smoothing: what the step computed, to be read only. */
  readonly state: { readonly [K in keyof S]: ReadonlyMap<number, S[K]> };
  /** The error that a part of the newest 256 states had at most: 0.99 for all but the worst. See PredictionStats.error. */
  errorAt(part: number): number;
}

// How far a prediction runs ahead of the newest frame, in seconds: on a line that stalls for one the own ship flies on.
const AHEAD_S = 2;

/** What a Predicting needs of its match. */
export interface PredictingMatch {
  readonly schema: Schema;
  readonly info: Pick<MatchInfo, "rate" | "inputs" | "seat">;
  onEvent(name: string, fields: Fields, tick: number): void;
  onUnconfirmed(name: string, fields: Fields, tick: number): void;
}

type Fields = Readonly<Record<string, Value>>;

/**
 * One match's prediction over all sockets and hosts. Times are in milliseconds, ticks have their fraction: those at which
 * an input that is sent now is used.
 */
export class Predicting<S, In, Ev> implements Predicted<S> {
  readonly #seat: number;
  readonly #tables: readonly { readonly table: Table; readonly owner: string | undefined }[];
  readonly #prediction: Prediction<In>;
  #decayedAt: number | undefined;

  /** Throws a TypeError for a table that the game does not have. */
  constructor(match: PredictingMatch, options: PredictOptions<S, In, Ev>) {
    this.#tables = options.tables.map((name) => {
      const table = match.schema.tables.find((t) => t.name === name);
      if (!table) throw new TypeError(`the game has no table ${name}`);
      return { table, owner: table.fields.find(namesOwner)?.name };
    });
    const { step, halfLifeMs, snap } = options;
    const { schema, onEvent, onUnconfirmed, info: { rate, inputs, seat } } = match;
    this.#seat = seat;
    this.#prediction = new Prediction<In>(this.#tables.map((t) => t.table), step as (step: PredictedStep<In>) => void, {
      rate, inputs, seat, ahead: AHEAD_S * rate, events: schema.events, onEvent, onUnconfirmed,
      ...(halfLifeMs !== undefined && { halfLifeMs }), ...(snap !== undefined && { snap }),
    });
  }

  get stats(): Readonly<PredictionStats> {
    return this.#prediction.stats;
  }

  get tick(): number {
    return this.#prediction.tick;
  }

  get state(): Predicted<S>["state"] {
    return this.#prediction.state as unknown as Predicted<S>["state"];
  }

  errorAt(part: number): number {
    return this.#prediction.errorAt(part);
  }

  /** Takes up that ticks count anew. */
  restart(): void {
    this.#prediction.restart();
  }

  /** Takes up that the connection was lost and is there again. */
  resume(): void {
    this.#prediction.resume();
  }

  /** Takes up a frame. */
  frame(tick: number, processed: number, tables: Readonly<Record<string, Iterable<[number, Row]>>>): void {
    this.#prediction.reconcile(tick, processed, tables);
  }

  /** Takes up an input, for a tick, so that what is drawn next has it. */
  input(seq: number, tick: number, input: In, time: number, view: number): void {
    this.#prediction.input(seq, tick, input, view);
    this.#prediction.advance(time);
  }

  /** Whether an event of the server's was told as predicted. */
  confirm(name: string, fields: Fields, tick: number): boolean {
    return this.#prediction.confirm(name, fields, tick);
  }

  /** Puts own and provisional rows in the place of those of what is shown. */
  show(shown: Shown<S>, time: number, now: number): Shown<S> {
    const prediction = this.#prediction;
    prediction.advance(time);
    prediction.decay(Math.max(0, now - (this.#decayedAt ?? now)));
    this.#decayedAt = now;
    const seat = this.#seat;
    const tables: Record<string, ReadonlyMap<number, Row>> = { ...(shown.tables as Record<string, ReadonlyMap<number, Row>>) };
    for (const { table: { name }, owner } of this.#tables) {
      const own = (row: Row) => seat > 0 && row[owner!] === seat; // one who watches owns none
      const rows = new Map<number, Row>();
      for (const [id, row] of tables[name]!) if (!own(row)) rows.set(id, row);
      for (const [id, row] of prediction.state[name]!) if (id < 0 || own(row)) rows.set(id, prediction.shown(name, id)!);
      tables[name] = rows;
    }
    return { tick: shown.tick, tables: tables as unknown as Shown<S>["tables"] };
  }
}
