import type { Prediction, PredictionStats } from "./reconcile.js";
import type { AnyEvents } from "./match_callbacks.js";
import type { Row } from "./tables.js";

/** What a step sees of the match while it advances it by one tick. */
export interface PredictStep<S = Record<string, Row>, In = Row, Ev = AnyEvents> {
  /** The tick that the state has after this step. */
  readonly tick: number;
  /** Ticks per second, and seconds per tick. */
  readonly rate: number;
  readonly dt: number;
  /** False when a tick is run again that was predicted before: sounds and sparks must not come twice. */
  readonly live: boolean;
  /** The own seat. */
  readonly seat: number;
  /** The rows of the predicted tables by id, to be changed in place, added and removed. A value's id is 1. */
  readonly state: { readonly [K in keyof S]: Map<number, S[K]> };
  /** The own inputs of the tick, the oldest first: at most one where the game takes samples. */
  readonly inputs: readonly { readonly seat: number; readonly seq: number; readonly input: In }[];
  /** The newest of inputs. */
  readonly input: In | undefined;
  /**
   * Adds a provisional row and returns its id, which is negative. The server's row takes its place when it comes; where
   * none does, the row goes.
   */
  spawn<K extends keyof S & string>(table: K, row: S[K]): number;
  /** Tells onEvent of an event that the server will probably send: once, where live. */
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
}

/** Keeps one player's prediction in step with a match. */
export class Predicting<S, In> implements Predicted<S> {
  readonly #prediction: Prediction<In>;

  constructor(prediction: Prediction<In>) {
    this.#prediction = prediction;
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
}
