/** The last values of a number, with when each was taken. A value that is not a number is a gap. */
export class Series {
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  #next = 0;
  #length = 0;

  /** @param size how many values are kept; the oldest goes */
  constructor(size: number) {
    this.#times = new Float64Array(size);
    this.#values = new Float64Array(size);
  }

  get length(): number {
    return this.#length;
  }

  /** Adds a value. Times do not go back. */
  push(at: number, value: number): void {
    this.#times[this.#next] = at;
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#times.length;
    this.#length = Math.min(this.#length + 1, this.#times.length);
  }

  /** The value that is i before the newest; not a number where there is none. */
  value(i = 0): number {
    return i < this.#length ? this.#values[this.#place(i)]! : NaN;
  }

  /** When it was taken; minus infinity where there is none. */
  time(i = 0): number {
    return i < this.#length ? this.#times[this.#place(i)]! : -Infinity;
  }

  /** The newest value that was taken at a time or before it; not a number where there is none. */
  valueAt(time: number): number {
    let i = 0;
    while (i < this.#length && this.time(i) > time) i++;
    return this.value(i);
  }

  /** The greatest value after a time; 0 where there is none. */
  max(since: number): number {
    let most = NaN;
    for (let i = 0; i < this.#length && this.time(i) > since; i++) {
      const v = this.value(i);
      if (!(v <= most) && !Number.isNaN(v)) most = v;
    }
    return most || 0;
  }

  /** The least value after a time; 0 where there is none. */
  min(since: number): number {
    let least = NaN;
    for (let i = 0; i < this.#length && this.time(i) > since; i++) {
      const v = this.value(i);
      if (!(v >= least) && !Number.isNaN(v)) least = v;
    }
    return least || 0;
  }

  /** The value which a part of those after a time do not exceed, 0 to 1 (nearest rank); 0 where there is none. */
  quantile(part: number, since: number): number {
    const list = new Float64Array(this.#length);
    let n = 0;
    for (let i = 0; i < this.#length && this.time(i) > since; i++) {
      const v = this.value(i);
      if (!Number.isNaN(v)) list[n++] = v;
    }
    return list.subarray(0, n).sort()[Math.max(0, Math.ceil(part * n) - 1)] ?? 0;
  }

  #place(i: number): number {
    const place = this.#next - 1 - i;
    return place < 0 ? place + this.#times.length : place;
  }
}

/** How fast a count rises, per second over the last second. */
export class Rate {
  readonly #totals: Series;

  /** @param perSecond how often at most add is called in a second */
  constructor(perSecond: number) {
    this.#totals = new Series(perSecond + 2);
  }

  /** Notes a count, and returns by how much it rises in a second. A count that fell begins anew. */
  add(at: number, total: number): number {
    const totals = this.#totals;
    if (total < totals.value()) return (totals.push(at, total), 0);
    totals.push(at, total);
    let i = 0; // the oldest that is at most a second old
    while (i + 1 < totals.length && at - totals.time(i + 1) <= 1000 && totals.value(i + 1) <= totals.value(i)) i++;
    // One that comes seldom, as in a hidden page, is measured from the one before.
    if (i === 0 && totals.length > 1 && totals.value(1) <= total) i = 1;
    // Less than a second counts as one, or the first counts would be peaks.
    return ((total - totals.value(i)) * 1000) / Math.max(1000, at - totals.time(i));
  }
}
