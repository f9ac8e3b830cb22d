/** A block that is not one: the text names what was read, and the byte. */
export class BlockError extends Error {
  override readonly name = "BlockError";
}

/** The first buckets of a number's code have 2^k values each; from there on each has twice as many as the one before. */
const SHORT_BUCKETS = 3;
/** No number has more bits than this behind its ones, so that sums of it and a column are exact. */
const MOST_BITS = 50;

/**
 * Reads a string of bits: they fill bytes from the lowest, and a number's lowest bit comes first. Throws a BlockError
 * where they end.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #end: number; // in bits, as #pos
  #pos = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length * 8;
  }

  /** How many bits are left, the last byte's filling among them. */
  get left(): number {
    return this.#end - this.#pos;
  }

  fail(what: string): never {
    throw new BlockError(`${what} at byte ${this.#pos >>> 3}`);
  }

  bit(): boolean {
    if (this.#pos >= this.#end) this.fail("end");
    const b = this.#bytes[this.#pos >>> 3]! >>> (this.#pos & 7);
    this.#pos++;
    return (b & 1) === 1;
  }

  /** Reads a number of n bits, n at most 53. */
  get(n: number): number {
    if (n > 24) {
      const low = this.get(24);
      return low + this.get(n - 24) * 0x1000000;
    }
    if (n > this.#end - this.#pos) this.fail("end");
    const at = this.#pos >>> 3;
    const b = this.#bytes;
    const four = b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24); // what is past the end counts as 0
    const v = (four >>> (this.#pos & 7)) & ((1 << n) - 1);
    this.#pos += n;
    return v;
  }

  /** Reads 64 bits as a signed number. */
  get64(): bigint {
    const low = this.get(32);
    return BigInt.asIntN(64, (BigInt(this.get(32)) << 32n) | BigInt(low));
  }

  /** Reads a number that was written with a parameter, k, of at most 45. It is below 2^52. */
  number(k: number): number {
    let q = 0;
    for (const most = SHORT_BUCKETS + MOST_BITS - 1 - k; this.bit(); ) if (++q > most) this.fail("number");
    if (q < SHORT_BUCKETS) return q * 2 ** k + this.get(k);
    const j = q - SHORT_BUCKETS;
    return SHORT_BUCKETS * 2 ** k + (2 ** j - 1) * 2 ** (k + 1) + this.get(k + 1 + j);
  }

  /** Passes over the last byte's filling; nothing else may be left. */
  done(): void {
    const n = this.left;
    if (n >= 8 || this.get(n) !== 0) this.fail("end");
  }
}
