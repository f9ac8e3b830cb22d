import { type Cell, type Field } from "./field.js";
import { KIND_STRING } from "./kinds.js";
import { encodeText } from "./writer.js";

// The view hash: the sum, modulo 2^64, of a mixed number for each column of each row of a scope. A frame in 32 brings
// it for every row, so the arithmetic is done in two halves of 32 bits; bigints would cost a frame of the picture.

/** A 64-bit number in two halves that the functions below work on. */
interface Word {
  hi: number;
  lo: number;
}

/** Multiplies by a constant of 64 bits. */
function multiply(w: Word, hi: number, lo: number): void {
  const a0 = w.lo & 0xffff;
  const a1 = w.lo >>> 16;
  const b0 = lo & 0xffff;
  const b1 = lo >>> 16;
  const low = a0 * b0;
  const middle = a0 * b1 + a1 * b0 + (low >>> 16); // below 2^34
  const high = a1 * b1 + Math.floor(middle / 0x10000);
  w.hi = (high + Math.imul(w.lo, hi) + Math.imul(w.hi, lo)) >>> 0;
  w.lo = ((middle << 16) | (low & 0xffff)) >>> 0;
}

function add(w: Word, hi: number, lo: number): void {
  const sum = w.lo + lo;
  w.hi = (w.hi + hi + (sum > 0xffffffff ? 1 : 0)) >>> 0;
  w.lo = sum >>> 0;
}

/** w ^= w >> n, for n from 1 to 31. */
function fold(w: Word, n: number): void {
  w.lo = (w.lo ^ ((w.lo >>> n) | (w.hi << (32 - n)))) >>> 0;
  w.hi = (w.hi ^ (w.hi >>> n)) >>> 0;
}

/** The finaliser of SplitMix64. */
function mix(w: Word): void {
  fold(w, 30);
  multiply(w, 0xbf58476d, 0x1ce4e5b9);
  fold(w, 27);
  multiply(w, 0x94d049bb, 0x133111eb);
  fold(w, 31);
}

const text: Word = { hi: 0, lo: 0 };

/** Adds the number that a cell counts as: itself, or the FNV-1a hash of its bytes. */
function addCell(w: Word, f: Field, cell: Cell): void {
  if (typeof cell === "number") {
    add(w, Math.floor(cell / 0x100000000) >>> 0, cell >>> 0);
    return;
  }
  if (typeof cell === "bigint") {
    add(w, Number(BigInt.asUintN(32, cell >> 32n)), Number(BigInt.asUintN(32, cell)));
    return;
  }
  const bytes = f.kind === KIND_STRING ? encodeText(cell as string) : (cell as Uint8Array);
  text.hi = 0xcbf29ce4;
  text.lo = 0x84222325;
  for (const b of bytes) {
    text.lo = (text.lo ^ b) >>> 0;
    multiply(text, 0x100, 0x1b3);
  }
  add(w, text.hi, text.lo);
}

/** Sums up the view hash of one scope. */
export class ViewHash {
  readonly #sum: Word = { hi: 0, lo: 0 };
  readonly #cell: Word = { hi: 0, lo: 0 };

  /** Takes one column of a row in. table and column are indices in the schema. */
  add(table: number, column: number, f: Field, id: number, cell: Cell): void {
    const w = this.#cell;
    w.hi = id >>> 0;
    w.lo = ((table << 16) | column) >>> 0;
    mix(w);
    addCell(w, f, cell);
    mix(w);
    add(this.#sum, w.hi, w.lo);
  }

  get value(): bigint {
    return (BigInt(this.#sum.hi) << 32n) | BigInt(this.#sum.lo);
  }
}
