import { type Cell, type Field, isText, isValid, isWide, KIND_ANGLE, KIND_STRING, wrap } from "./field.js";
import { decodeText } from "./reader.js";

/** A block that is not one: what the text says is for a log. */
export class BlockError extends Error {
  override readonly name = "BlockError";
}

/** Up to here a number that was read, and its sum with a column's, is exact. */
const EXACT = 2 ** 52;

/** Reads one scope's part of a frame. Throws a BlockError where the bytes end or lie. */
export class BlockReader {
  readonly #bytes: Uint8Array;
  #pos = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#pos;
  }

  fail(what: string): never {
    throw new BlockError(`${what} at byte ${this.#pos}`);
  }

  /** Reads an unsigned number of at most 64 bits. Above 2^53 the result is rounded, but never below that. */
  uvarint(): number {
    let v = 0;
    let weight = 1;
    for (let i = 0; i < 10; i++) {
      const b = this.#byte();
      if (b < 0x80) {
        if (i === 9 && b > 1) break;
        return v + b * weight;
      }
      v += (b & 0x7f) * weight;
      weight *= 128;
    }
    return this.fail("a number of more than 64 bits");
  }

  bytes(n: number): Uint8Array {
    if (n > this.left) this.fail("cut short");
    this.#pos += n;
    return this.#bytes.subarray(this.#pos - n, this.#pos);
  }

  /** Reads one column: text as it is, a number as the difference to what the row has. */
  cell(f: Field, old: Cell): Cell {
    if (isText(f)) return this.#text(f);
    if (isWide(f)) return BigInt.asIntN(64, (old as bigint) + this.#varint64());
    const from = this.#pos;
    const z = this.uvarint();
    let n: number;
    if (z < EXACT) {
      n = (old as number) + (z % 2 === 0 ? z / 2 : -(z + 1) / 2);
      if (f.kind === KIND_ANGLE) n = wrap(n, 2 ** f.bits);
    } else {
      this.#pos = from;
      const sum = BigInt.asIntN(64, BigInt(old as number) + this.#varint64());
      n = Number(f.kind === KIND_ANGLE ? BigInt.asUintN(f.bits, sum) : sum);
    }
    return isValid(f, n) ? n : this.fail(`${f.name}: out of range`);
  }

  #text(f: Field): Cell {
    const n = this.uvarint();
    if (n > f.max) this.fail(`${f.name}: longer than ${f.max} bytes`);
    const b = this.bytes(n);
    if (f.kind !== KIND_STRING) return b.slice();
    return decodeText(b) ?? this.fail(`${f.name}: not UTF-8`);
  }

  #byte(): number {
    const b = this.#bytes[this.#pos];
    if (b === undefined) return this.fail("cut short");
    this.#pos++;
    return b;
  }

  /** Reads a zigzagged number of 64 bits. */
  #varint64(): bigint {
    const from = this.#pos;
    this.uvarint(); // finds the end, and refuses what is too long
    let v = 0n;
    for (let i = this.#pos - 1; i >= from; i--) v = (v << 7n) | BigInt(this.#bytes[i]! & 0x7f);
    return (v >> 1n) ^ -(v & 1n);
  }
}
