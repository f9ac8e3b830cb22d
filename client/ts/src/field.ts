import {
  KIND_ANGLE, KIND_BOOL, KIND_BYTES, KIND_ENUM, KIND_FIXED, KIND_FLOAT32, KIND_FLOAT64, KIND_INT, KIND_LEN, KIND_REF, KIND_STRING,
  KIND_UINT,
} from "./kinds.js";
import { MAX_UINT32 } from "./protocol.js";
import type { Reader } from "./reader.js";

// Flags of a column.
const FLAG_OWNER = 1; // sent to the row's owner only
const FLAG_PREDICT = 8; // a hint: moves smoothly
const FLAG_TEAM = 16; // sent to the team of the row's owner only
const FLAG_SEAT = 32; // holds a seat: whose row it is

const MAX_NAME = 64;
const MAX_FIELDS = 256;
const MAX_NAMES = 256; // of an enum
const MAX_ELEMENTS = 64; // of a slice
const MAX_TABLES = 64;

/** How many bits of a row's generation are on the wire. */
export const GEN_BITS = 8;

/** What a program sees of a column: bigint where it has 64 bits, bytes for bytes, an enum's name, else what one expects. */
export type Value = number | boolean | string | bigint | Uint8Array;

/**
 * What a decoder keeps of a column: its integer (a signed 64-bit bigint where the column is wide), or its text or
 * bytes.
 */
export type Cell = number | bigint | string | Uint8Array;

/** One column of a table, an input or an event. */
export interface Field {
  /** The struct's field; nested ones have dotted names, elements of arrays their index. */
  readonly name: string;
  readonly kind: number;
  readonly flags: number;
  readonly bits: number; // of integers and angles
  readonly max: number; // of text and bytes, in bytes; of a length, in elements
  readonly min: number; // of fixed
  readonly step: number; // of fixed
  readonly least: number; // the range of its integer, if that has not 64 bits; of fixed, of n
  readonly top: number;
  readonly names: readonly string[]; // of an enum
  readonly ref: number; // of a reference: the table's index
}

/** Whether the column is text or bytes, not a number. */
export function isText(f: Field): boolean {
  return f.kind === KIND_STRING || f.kind === KIND_BYTES;
}

/** Whether the column's integer needs 64 bits and is a bigint. */
export function isWide(f: Field): boolean {
  return f.bits === 64 || f.kind === KIND_FLOAT64;
}

/** Whether the column is sent to the row's owner only. */
export function isOwners(f: Field): boolean {
  return (f.flags & FLAG_OWNER) !== 0;
}

/** Whether the column is sent to the team of the row's owner only. */
export function isTeams(f: Field): boolean {
  return (f.flags & FLAG_TEAM) !== 0;
}

/** Whether the column is marked as one that moves smoothly. */
export function isPredicted(f: Field): boolean {
  return (f.flags & FLAG_PREDICT) !== 0;
}

/** Whether the column says whose a row is. */
export function namesOwner(f: Field): boolean {
  return (f.flags & FLAG_SEAT) !== 0 && f.name === "Owner";
}

/** That a column is of an element of a slice: which column has the slice's length, and the element's index. */
export interface Element {
  readonly len: number;
  readonly index: number;
}

/** By column, of which slice's element it is; undefined for those of none. */
export function elementsOf(fields: readonly Field[]): readonly (Element | undefined)[] {
  let len = -1;
  return fields.map((f, i) => {
    if (f.kind === KIND_LEN) {
      len = i;
      return undefined;
    }
    const slice = len < 0 ? "" : fields[len]!.name.slice(0, -"len".length); // with its dot
    return slice && f.name.startsWith(slice) ? { len, index: parseInt(f.name.slice(slice.length), 10) } : undefined;
  });
}

/** What a column holds when nothing was said of it. */
export function zeroCell(f: Field): Cell {
  if (f.kind === KIND_STRING) return "";
  if (f.kind === KIND_BYTES) return new Uint8Array();
  return isWide(f) ? 0n : 0;
}

/** Whether n is a value of a column that is not wide. */
export function isValid(f: Field, n: number): boolean {
  const part = n % 0x10000; // of a row's id: its generation
  return n >= f.least && n <= f.top && (f.kind !== KIND_REF || n === 0 || (part >= 1 && part <= 2 ** GEN_BITS));
}

const scratch = new DataView(new ArrayBuffer(8));

/** The number whose 64 bits these are. */
function float64OfBits(bits: bigint): number {
  scratch.setBigInt64(0, bits);
  return scratch.getFloat64(0);
}

/** The number whose 32 bits these are. */
function float32OfBits(bits: number): number {
  scratch.setUint32(0, bits);
  return scratch.getFloat32(0);
}

/** What a program sees of a cell: radians from 0 to 2π, the range's float, the integer, the text. */
export function cellValue(f: Field, cell: Cell): Value {
  switch (f.kind) {
    case KIND_BOOL:
      return cell === 1;
    case KIND_UINT:
      return typeof cell === "bigint" ? BigInt.asUintN(64, cell) : cell;
    case KIND_FIXED:
      return f.min + (cell as number) * f.step;
    case KIND_ANGLE:
      return (cell as number) * ((2 * Math.PI) / 2 ** f.bits);
    case KIND_FLOAT32:
      return float32OfBits(cell as number);
    case KIND_FLOAT64:
      return float64OfBits(cell as bigint);
    case KIND_ENUM:
      return f.names[cell as number]!;
    default:
      return cell;
  }
}

/** The nearest step of a fixed column, clamped to its range; NaN becomes the range's start. */
export function quantise(f: Field, v: number): number {
  const n = Math.floor((v - f.min) / f.step + 0.5);
  if (!(n > 0)) return 0;
  return n >= f.top ? f.top : n;
}

/** The nearest part of a turn of an angle in radians. */
export function quantiseAngle(f: Field, v: number): number {
  const parts = 2 ** f.bits;
  const n = Math.floor(v * (parts / (2 * Math.PI)) + 0.5);
  return Math.abs(n) < 2 ** 53 ? wrap(n, parts) : 0;
}

/** n modulo m, from 0 to m - 1. */
export function wrap(n: number, m: number): number {
  return ((n % m) + m) % m;
}

/** Reads a list of columns as the schema's binary form has it. */
export function readFields(r: Reader): Field[] {
  const list: Field[] = [];
  for (let left = r.array(MAX_FIELDS); left > 0; left--) list.push(readField(r));
  return list;
}

function readField(r: Reader): Field {
  const n = r.array(16);
  let read = 3;
  const name = readName(r);
  const kind = r.uint(255);
  const flags = r.uint(255);
  let [bits, max, min, step, ref, least, top] = [0, 0, 0, 0, 0, 0, 0];
  const names: string[] = [];
  switch (kind) {
    case KIND_BOOL:
      top = 1;
      break;
    case KIND_FLOAT32:
      top = MAX_UINT32;
      break;
    case KIND_FLOAT64:
      break;
    case KIND_INT:
    case KIND_UINT:
      [bits, read] = [r.uint(64), 4];
      if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) r.fail();
      if (kind === KIND_INT) least = -(2 ** (bits - 1));
      top = least + 2 ** bits - 1;
      break;
    case KIND_ANGLE:
      [bits, read] = [r.int(1, 16), 4];
      top = 2 ** bits - 1;
      break;
    case KIND_STRING:
    case KIND_BYTES:
      [max, read] = [r.uint(4096), 4];
      break;
    case KIND_LEN:
      [max, read] = [r.int(1, MAX_ELEMENTS), 4];
      top = max;
      break;
    case KIND_ENUM:
      read = 4;
      for (let left = r.array(MAX_NAMES); left > 0; left--) names.push(r.str(MAX_NAME));
      if (names.length === 0 || names.includes("") || new Set(names).size !== names.length) r.fail();
      top = names.length - 1;
      break;
    case KIND_REF:
      [ref, read] = [r.uint(MAX_TABLES - 1), 4];
      top = MAX_UINT32;
      break;
    case KIND_FIXED:
      [min, step, top, read] = [r.float(), r.float(), r.uint(Number.MAX_SAFE_INTEGER), 6];
      if (!(step > 0)) r.fail();
      break;
    default:
      r.fail();
  }
  r.skipRest(n, read);
  return { name, kind, flags, bits, max, min, step, least, top, names, ref };
}

/** Reads a name that becomes a property of an object. */
export function readName(r: Reader): string {
  const name = r.str(MAX_NAME);
  if (name === "__proto__") r.fail();
  return name;
}

/** Whether two values of a column are the same: byte strings by what they hold. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return a.length === b.length && a.every((v, i) => v === b[i]);
  return Object.is(a, b);
}
