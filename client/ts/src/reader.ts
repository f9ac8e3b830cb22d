import { MAX_UINT32 } from "./protocol.js";

/** How the codes from 0xcc on are read. */
const INTEGERS = [
  "getUint8", "getUint16", "getUint32", "getBigUint64", "getInt8", "getInt16", "getInt32", "getBigInt64",
] as const;

/** How deep skip follows nested values. */
const MAX_DEPTH = 8;

/** Bytes, or a text, that are not what they are to be: of a message of the match, at the byte that its text names. */
export class MalformedError extends Error {
  override readonly name: string = "MalformedError";
}

// A byte order mark is a character like any other here: what is decoded has to be what was sent.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes UTF-8; undefined where the bytes are not. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Reads MessagePack that nobody vouches for. Each method takes the bound of what it reads, and throws a
 * MalformedError where the bytes are something else. A declared length is checked against the bound and against the
 * bytes that are left before anything is done with it.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #pos = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** How many bytes are unread. */
  get left(): number {
    return this.#bytes.length - this.#pos;
  }

  /** Throws unless everything was read. */
  done(): void {
    if (this.left > 0) this.fail();
  }

  /** The error of what is at the present place. */
  fail(): never {
    throw new MalformedError(`malformed at byte ${this.#pos}`);
  }

  /** Whether an array comes next. */
  isArray(): boolean {
    const code = this.#bytes[this.#pos] ?? 0;
    return (code & 0xf0) === 0x90 || code === 0xdc || code === 0xdd;
  }

  /** Reads an array's head and returns its length. */
  array(max: number): number {
    const code = this.#code();
    if ((code & 0xf0) === 0x90) return this.#count(code & 0x0f, max, 1);
    if (code === 0xdc) return this.#count(this.#uint(2), max, 1);
    if (code === 0xdd) return this.#count(this.#uint(4), max, 1);
    return this.fail();
  }

  /** Reads an unsigned integer of at most max, which is a safe integer. */
  uint(max: number): number {
    return this.int(0, max);
  }

  /** Reads an integer from min to max, which are safe integers. */
  int(min: number, max: number): number {
    const v = this.#integer();
    if (typeof v === "bigint" || v < min || v > max) this.fail();
    return v;
  }

  /** Reads an unsigned integer of 64 bits. */
  uint64(): bigint {
    const v = this.#integer();
    if (v < 0) this.fail();
    return BigInt(v);
  }

  /** Reads a signed integer of 64 bits. */
  int64(): bigint {
    const v = BigInt(this.#integer());
    if (v !== BigInt.asIntN(64, v)) this.fail();
    return v;
  }

  /** Reads a float or an integer; NaN and the infinities are refused. */
  float(): number {
    const code = this.#bytes[this.#pos];
    let v: number;
    if (code === 0xca || code === 0xcb) {
      this.#pos++;
      const size = code === 0xca ? 4 : 8;
      this.#need(size);
      v = size === 4 ? this.#view.getFloat32(this.#pos) : this.#view.getFloat64(this.#pos);
      this.#pos += size;
    } else {
      v = Number(this.#integer());
    }
    if (!Number.isFinite(v)) this.fail();
    return v;
  }

  /** Reads a truth value. */
  bool(): boolean {
    const code = this.#code();
    if (code !== 0xc2 && code !== 0xc3) this.fail();
    return code === 0xc3;
  }

  /** Reads a string of at most max bytes of valid UTF-8. */
  str(max: number): string {
    const code = this.#code();
    let n: number;
    if ((code & 0xe0) === 0xa0) n = code & 0x1f;
    else if (code >= 0xd9 && code <= 0xdb) n = this.#uint(1 << (code - 0xd9));
    else return this.fail();
    return decodeText(this.#take(n, max)) ?? this.fail();
  }

  /** Reads a byte string of at most max bytes: a part of the message, not a copy. */
  bin(max: number): Uint8Array {
    const code = this.#code();
    if (code < 0xc4 || code > 0xc6) this.fail();
    return this.#take(this.#uint(1 << (code - 0xc4)), max);
  }

  /** Reads one whole value, whatever it is, and returns its bytes: a part of the message. */
  raw(): Uint8Array {
    const from = this.#pos;
    this.skip();
    return this.#bytes.subarray(from, this.#pos);
  }

  /** Passes over one value, nested at most eight deep. */
  skip(depth = 0): void {
    if (depth >= MAX_DEPTH) this.fail();
    const code = this.#code();
    let values: number;
    if (code <= 0x7f || code >= 0xe0 || code === 0xc0 || code === 0xc2 || code === 0xc3) return;
    if ((code & 0xe0) === 0xa0) return void this.#take(code & 0x1f, this.left);
    if (code >= 0xd9 && code <= 0xdb) return void this.#take(this.#uint(1 << (code - 0xd9)), this.left);
    if (code >= 0xc4 && code <= 0xc6) return void this.#take(this.#uint(1 << (code - 0xc4)), this.left);
    if (code === 0xca || code === 0xcb) return void this.#take(code === 0xca ? 4 : 8, this.left);
    if (code >= 0xcc && code <= 0xd3) return void this.#take(1 << (code & 3), this.left);
    if ((code & 0xf0) === 0x90) values = this.#count(code & 0x0f, this.left, 1);
    else if (code === 0xdc || code === 0xdd) values = this.#count(this.#uint(code === 0xdc ? 2 : 4), MAX_UINT32, 1);
    else if ((code & 0xf0) === 0x80) values = 2 * this.#count(code & 0x0f, this.left, 2);
    else if (code === 0xde || code === 0xdf) values = 2 * this.#count(this.#uint(code === 0xde ? 2 : 4), MAX_UINT32, 2);
    else return this.fail();
    for (; values > 0; values--) this.skip(depth + 1);
  }

  /**
   * Passes over the elements of an array of length n of which read were read: what a newer sender appended. An array
   * that had fewer is an error, since what was read in their place lay behind it.
   */
  skipRest(n: number, read: number): void {
    if (n < read) this.fail();
    for (; read < n; read++) this.skip();
  }

  #need(n: number): void {
    if (n > this.left) this.fail();
  }

  #code(): number {
    this.#need(1);
    return this.#bytes[this.#pos++]!;
  }

  #count(n: number, max: number, each: number): number {
    if (n > max) this.fail();
    if (n > this.left / each) this.fail();
    return n;
  }

  #take(n: number, max: number): Uint8Array {
    this.#need(n);
    if (n > max) this.fail();
    this.#pos += n;
    return this.#bytes.subarray(this.#pos - n, this.#pos);
  }

  /** Reads 1, 2 or 4 bytes as they stand. */
  #uint(size: number): number {
    this.#need(size);
    const at = this.#pos;
    this.#pos += size;
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  /** Reads any integer: a number where that is exact, else a bigint. */
  #integer(): number | bigint {
    const code = this.#code();
    if (code <= 0x7f) return code;
    if (code >= 0xe0) return code - 0x100;
    if (code < 0xcc || code > 0xd3) return this.fail();
    const at = this.#pos;
    const size = 1 << (code & 3);
    this.#need(size);
    this.#pos += size;
    const v = this.#view[INTEGERS[code - 0xcc]!](at);
    const n = Number(v);
    return Number.isSafeInteger(n) ? n : v;
  }
}
