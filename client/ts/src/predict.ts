import { type Field, wrap } from "./field.js";
import { KIND_ANGLE, KIND_BOOL, KIND_FIXED, KIND_INT, KIND_UINT } from "./kinds.js";

// How a value is predicted from what the same row held in up to four earlier states. Nothing is sent about it: both
// ends look at the same states and work with whole numbers, so that they come to the same guess.

/** How many earlier states a prediction may use. */
export const STATES = 4;

/** The expectation that the residual is zero. */
export const QUIET = -1;

/** Added to a parameter where the residual's sign is turned. */
export const FLIPPED = 64;

const EXACT = 127; // only while a column is being guessed: the row moves, and would have moved just so

/**
 * Whether a column is predicted at all. One of more than 40 bits, and floats that are not quantised, are sent as they are
 * when they change.
 */
export function isSmooth(f: Field): boolean {
  switch (f.kind) {
    case KIND_BOOL:
    case KIND_ANGLE:
      return true;
    case KIND_INT:
    case KIND_UINT:
      return f.bits <= 32;
    case KIND_FIXED:
      return f.top < 2 ** 40;
    default:
      return false;
  }
}

/** Brings a difference of angles to the short way round: from minus half a turn to below half a turn. */
function short(d: number, turn: number): number {
  d &= turn - 1;
  return d >= turn / 2 ? d - turn : d;
}

/** Predicts the values of one column. */
export class Predictor {
  readonly #turn: number; // 0 where the column is no angle

  /** The guess, which may lie outside the column's range. */
  value = 0;
  /** By how much it would have missed in the states that are known, in sixteenths; -1: the value has not moved. */
  mean = -1;
  /** Negative where the value is likelier to be above the guess than below it. */
  sign = 0;

  constructor(f: Field) {
    this.#turn = f.kind === KIND_ANGLE ? 2 ** f.bits : 0;
  }

  /** Predicts from n earlier values, 1 to 4, the newest first. What is beyond n does not count. */
  guess(n: number, h0: number, h1 = 0, h2 = 0, h3 = 0): void {
    if (n === 1) return this.#set(h0, -1, 0);
    const turn = this.#turn;
    const d0 = turn ? short(h0 - h1, turn) : h0 - h1;
    if (n === 2) return d0 === 0 ? this.#set(h0, -1, 0) : this.#set(h0 + d0, Math.abs(d0) * 8, 0);
    const d1 = turn ? short(h1 - h2, turn) : h1 - h2;
    const dd0 = turn ? short(d0 - d1, turn) : d0 - d1;
    if (n === 3) {
      const last = (3 * Math.abs(d0) + Math.abs(d1)) * 4;
      const linear = Math.abs(dd0) * 16;
      if (last === 0) return this.#set(h0, -1, 0);
      return last <= linear ? this.#set(h0, last, dd0) : this.#set(h0 + d0, linear, dd0);
    }
    const d2 = turn ? short(h2 - h3, turn) : h2 - h3;
    if (d0 === 0 && d1 === 0 && d2 === 0) return this.#set(h0, -1, 0);
    const dd1 = turn ? short(d1 - d2, turn) : d1 - d2;
    const jerk = turn ? short(dd0 - dd1, turn) : dd0 - dd1;
    this.#set(h0, Math.floor(((3 * Math.abs(d0) + Math.abs(d1) + Math.abs(d2)) * 16) / 5), jerk);
    const linear = (3 * Math.abs(dd0) + Math.abs(dd1)) * 4;
    if (linear < this.mean) this.#set(h0 + d0, linear, jerk);
    const curved = Math.abs(jerk) * 16;
    if (curved < this.mean) this.#set(h0 + d0 + dd0, curved, dd0);
  }

  #set(value: number, mean: number, sign: number): void {
    this.value = value;
    this.mean = mean;
    this.sign = sign;
  }
}

/** The guesses for a column of some rows, and what their residuals are expected to be: a parameter, or QUIET. */
export class Guesses {
  values = new Float64Array();
  like = new Int8Array();
  readonly #has = new Int32Array(FLIPPED);

  /** Predicts n rows; guess sets the predictor to one row's. */
  column(p: Predictor, n: number, guess: (row: number) => void): void {
    if (this.values.length < n) {
      this.values = new Float64Array(n);
      this.like = new Int8Array(n);
    }
    const has = this.#has.fill(0); // how many rows have a parameter
    let moving = 0;
    let missed = 0;
    let exact = 0;
    for (let i = 0; i < n; i++) {
      guess(i);
      this.values[i] = p.value;
      if (p.mean < 0) {
        this.like[i] = QUIET;
        continue;
      }
      moving++;
      missed += p.mean;
      if (p.mean === 0) {
        this.like[i] = EXACT;
        exact++;
        continue;
      }
      const k = param(p.mean);
      has[k]!++;
      this.like[i] = k + (p.sign < 0 ? FLIPPED : 0);
    }
    if (moving === 0) return;
    // A row that moved exactly as predicted is quiet only where the others did so, too. None is expected to miss by less
    // than half of them are.
    const quietly = missed < moving;
    if (!quietly) has[0]! += exact;
    const spoken = quietly ? moving - exact : moving;
    let least = 0; // the median of their parameters
    for (let sum = has[0]!; spoken > 0 && sum * 2 <= spoken; sum += has[least]!) least++;
    if (least === 0 && exact === 0) return;
    for (let i = 0; i < n; i++) {
      let k = this.like[i]!;
      if (k === EXACT) k = quietly ? QUIET : 0;
      if (k !== QUIET && (k & ~FLIPPED) < least) k = least | (k & FLIPPED);
      this.like[i] = k;
    }
  }
}

/** The parameter for an expected miss in sixteenths. */
export function param(mean: number): number {
  const v = Math.floor((mean + 4) / 20);
  return v < 0x100000000 ? 32 - Math.clz32(v) : 64 - Math.clz32(Math.floor(v / 0x100000000));
}

/** The value that differs from a guess by a residual, whose sign is folded in: 0, -1, 1, -2, … or, turned, 0, 1, -1, 2, … */
export function unresidual(f: Field, z: number, guess: number, flipped = false): number {
  const d = z % 2 === 0 ? z / 2 : -(z + 1) / 2;
  const v = flipped ? guess - d : guess + d;
  return f.kind === KIND_ANGLE ? wrap(v, 2 ** f.bits) : v;
}
