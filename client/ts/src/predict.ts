import { type Field, KIND_ANGLE, KIND_BOOL, KIND_FIXED, KIND_INT, KIND_UINT, wrap } from "./field.js";

// How a value is predicted from what the same row held in up to four earlier states. Nothing is sent about it: both
// ends look at the same states and work with whole numbers, so that they come to the same guess.

/** How many earlier states a prediction may use. */
export const STATES = 4;

/** The expectation that the residual is zero. */
export const QUIET = -1;

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
  /** The parameter of the residual's code, or QUIET. */
  k = QUIET;

  constructor(f: Field) {
    this.#turn = f.kind === KIND_ANGLE ? 2 ** f.bits : 0;
  }

  /** Predicts from n earlier values, 1 to 4, the newest first. What is beyond n does not count. */
  guess(n: number, h0: number, h1 = 0, h2 = 0, h3 = 0): void {
    this.value = h0;
    this.k = QUIET;
    if (n === 1) return;
    const turn = this.#turn;
    const d0 = turn ? short(h0 - h1, turn) : h0 - h1;
    if (n === 2) {
      if (d0 !== 0) this.#expect(h0 + d0, param(Math.abs(d0) * 8));
      return;
    }
    const d1 = turn ? short(h1 - h2, turn) : h1 - h2;
    const dd0 = turn ? short(d0 - d1, turn) : d0 - d1;
    if (n === 3) {
      const last = 3 * Math.abs(d0) + Math.abs(d1);
      const linear = 3 * Math.abs(dd0);
      if (last * 3 <= linear * 4) {
        if (last !== 0) this.#expect(h0, param(last * 4));
      } else {
        this.#expect(h0 + d0, linear === 0 ? QUIET : param(Math.floor((linear * 16) / 3)));
      }
      return;
    }
    const d2 = turn ? short(h2 - h3, turn) : h2 - h3;
    const dd1 = turn ? short(d1 - d2, turn) : d1 - d2;
    const ddd = turn ? short(dd0 - dd1, turn) : dd0 - dd1;
    let best = h0;
    let mean = Math.floor(((3 * Math.abs(d0) + Math.abs(d1) + Math.abs(d2)) * 16) / 5);
    const linear = (3 * Math.abs(dd0) + Math.abs(dd1)) * 4;
    const curved = Math.abs(ddd) * 16;
    if (linear < mean) {
      best = h0 + d0;
      mean = linear;
    }
    if (curved < mean) {
      best = h0 + d0 + dd0;
      mean = curved;
    }
    this.#expect(best, mean === 0 ? QUIET : param(mean));
  }

  #expect(value: number, k: number): void {
    this.value = value;
    this.k = k;
  }
}

/**
 * The parameter for an expected miss in sixteenths: the least k for which 3 × 2^k is at least twice the residual that is
 * expected once its sign is folded in.
 */
export function param(mean: number): number {
  const m = Math.floor(mean / 8) * 2;
  if (m < 1) return 0;
  const v = Math.floor((m - 1) / 3);
  return v < 0x100000000 ? 32 - Math.clz32(v) : 64 - Math.clz32(Math.floor(v / 0x100000000));
}

/** The value that differs from a guess by a residual, whose sign is folded in: 0, -1, 1, -2, … */
export function unresidual(f: Field, z: number, guess: number): number {
  const v = guess + (z % 2 === 0 ? z / 2 : -(z + 1) / 2);
  return f.kind === KIND_ANGLE ? wrap(v, 2 ** f.bits) : v;
}
