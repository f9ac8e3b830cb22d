const encoder = new TextEncoder();

/** The UTF-8 of a text. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Cuts a text to at most max bytes of UTF-8, between two characters. */
export function cutText(text: string, max: number): string {
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(max)).read);
}

/** Builds MessagePack, each value in its shortest form, in a buffer that it reuses. */
export class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #n = 0;

  /** Forgets what was written and keeps the buffer. */
  reset(): this {
    this.#n = 0;
    return this;
  }

  get length(): number {
    return this.#n;
  }

  /** A copy of what was written since reset. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#n);
  }

  /** Begins an array of n elements, which the caller then writes. */
  array(n: number): void {
    if (n < 16) this.#put8(0x90 | n);
    else if (n <= 0xffff) this.#head(0xdc, 2, n);
    else this.#head(0xdd, 4, n);
  }

  /** Writes an unsigned integer of at most 64 bits. */
  uint(v: number | bigint): void {
    if (v <= 0x7f) this.#put8(Number(v));
    else if (v <= 0xff) this.#head(0xcc, 1, Number(v));
    else if (v <= 0xffff) this.#head(0xcd, 2, Number(v));
    else if (v <= 0xffffffff) this.#head(0xce, 4, Number(v));
    else this.#put64(0xcf, BigInt(v));
  }

  /** Writes an integer of at most 64 bits. */
  int(v: number | bigint): void {
    if (v >= 0) this.uint(v);
    else if (v >= -0x20) this.#put8(Number(v) & 0xff);
    else if (v >= -0x80) this.#head(0xd0, 1, Number(v));
    else if (v >= -0x8000) this.#head(0xd1, 2, Number(v));
    else if (v >= -0x80000000) this.#head(0xd2, 4, Number(v));
    else this.#put64(0xd3, BigInt(v));
  }

  float32(v: number): void {
    const at = this.#grow(5);
    this.#view.setUint8(at, 0xca);
    this.#view.setFloat32(at + 1, v);
  }

  float64(v: number): void {
    const at = this.#grow(9);
    this.#view.setUint8(at, 0xcb);
    this.#view.setFloat64(at + 1, v);
  }

  bool(v: boolean): void {
    this.#put8(v ? 0xc3 : 0xc2);
  }

  str(text: string): void {
    const bytes = encodeText(text);
    const n = bytes.length;
    if (n < 32) this.#put8(0xa0 | n);
    else if (n <= 0xff) this.#head(0xd9, 1, n);
    else if (n <= 0xffff) this.#head(0xda, 2, n);
    else this.#head(0xdb, 4, n);
    this.raw(bytes);
  }

  bin(bytes: Uint8Array): void {
    const n = bytes.length;
    if (n <= 0xff) this.#head(0xc4, 1, n);
    else if (n <= 0xffff) this.#head(0xc5, 2, n);
    else this.#head(0xc6, 4, n);
    this.raw(bytes);
  }

  /** Appends bytes that are MessagePack already. */
  raw(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Makes room for n more bytes and returns where they go. It may replace the buffer and its view. */
  #grow(n: number): number {
    const at = this.#n;
    this.#n += n;
    if (this.#n > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#n, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  #put8(v: number): void {
    const at = this.#grow(1);
    this.#bytes[at] = v;
  }

  /** A code and 1, 2 or 4 bytes; a negative number as its two's complement. */
  #head(code: number, size: number, v: number): void {
    const at = this.#grow(1 + size);
    this.#view.setUint8(at, code);
    if (size === 1) this.#view.setUint8(at + 1, v);
    else if (size === 2) this.#view.setUint16(at + 1, v);
    else this.#view.setUint32(at + 1, v);
  }

  #put64(code: number, v: bigint): void {
    const at = this.#grow(9);
    this.#view.setUint8(at, code);
    this.#view.setBigUint64(at + 1, BigInt.asUintN(64, v));
  }
}
