// Writes blocks by hand, as PROTOCOL.md describes them.

/** Writes bits: they fill bytes from the lowest, and a number's lowest bit comes first. */
export class BlockWriter {
  readonly #bits: number[] = [];

  /** Begins a block: a keyframe of n states, or one that builds on n states that lie gap ticks apart. */
  static begin(key: boolean, n = 1, gap = 1): BlockWriter {
    return new BlockWriter().bit(key).put(n - 1, 2).number(gap - 1, 0);
  }

  get length(): number {
    return this.#bits.length;
  }

  bit(...list: (boolean | number)[]): this {
    this.#bits.push(...list.map(Number));
    return this;
  }

  /** Writes the n lowest bits of v. */
  put(v: number | bigint, n: number): this {
    const b = BigInt.asUintN(n, BigInt(v));
    for (let i = 0n; i < n; i++) this.bit(Number((b >> i) & 1n));
    return this;
  }

  number(v: number, k: number): this {
    const q = Math.floor(v / 2 ** k);
    if (q < 3) return this.bit(...Array<number>(q).fill(1), 0).put(v, k);
    let rest = v - 3 * 2 ** k;
    let j = 0;
    for (; rest >= 2 ** (k + 1 + j); j++) rest -= 2 ** (k + 1 + j);
    return this.bit(...Array<number>(3 + j).fill(1), 0).put(rest, k + 1 + j);
  }

  text(v: string): this {
    const bytes = Buffer.from(v);
    this.number(bytes.length, 3);
    for (const b of bytes) this.put(b, 8);
    return this;
  }

  /** The bits that say that a part is as expected. */
  same(parts = 1): this {
    return this.bit(...Array<number>(parts).fill(0));
  }

  /** Begins a part in which rows went, by their places, and some came; whose ids and values follow. */
  rows(gone: readonly number[], came: number): this {
    this.bit(1, 1).number(gone.length, 2);
    gone.forEach((at, i) => this.number(at - (gone[i - 1] ?? -1) - 1, 2));
    return this.number(came, 1);
  }

  /** Writes the id of a row that came; its slot has some bits. */
  id(slot: number, slotBits: number, generation = 1): this {
    return this.put(slot, slotBits).put(generation - 1, 8);
  }

  bytes(): number[] {
    const out = new Array<number>(Math.ceil(this.length / 8)).fill(0);
    this.#bits.forEach((b, i) => (out[i >> 3]! |= b << (i & 7)));
    return out;
  }
}

/** Folds the sign of a number in: 0, -1, 1, -2, … */
export function zigzag(n: number): number {
  return n < 0 ? -2 * n - 1 : 2 * n;
}
