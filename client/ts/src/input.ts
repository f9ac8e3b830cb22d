import { type Field, quantise, quantiseAngle, type Value } from "./field.js";
import {
  KIND_ANGLE, KIND_BOOL, KIND_BYTES, KIND_ENUM, KIND_FIXED, KIND_FLOAT32, KIND_FLOAT64, KIND_INT, KIND_LEN,
  KIND_STRING,
} from "./kinds.js";
import { MAX_UINT32 } from "./protocol.js";
import { cutText, type Writer } from "./writer.js";

/**
 * Writes an input as the server reads it: an array of the fields' values in the schema's order. Fields that the input
 * does not name are zero. Fixed fields and angles are given as the floats that they stand for and are quantised; text
 * and bytes are cut to their bound. Throws a TypeError for a name that the game's input does not have and for a value
 * of another type, a RangeError for a number that the field cannot hold.
 */
export function writeInput(w: Writer, fields: readonly Field[], input: object): void {
  const given = input as Readonly<Record<string, Value | undefined>>;
  for (const name in given) {
    if (!fields.some((f) => f.name === name)) throw new TypeError(`the game has no field ${name}`);
  }
  w.array(fields.length);
  for (const f of fields) writeField(w, f, given[f.name]);
}

function writeField(w: Writer, f: Field, v: Value | undefined): void {
  switch (f.kind) {
    case KIND_BOOL:
      return w.bool(typed(f, v ?? false, "boolean"));
    case KIND_ENUM: {
      const n = v === undefined ? 0 : f.names.indexOf(typed(f, v, "string"));
      if (n < 0) throw new RangeError(wrong(f, `one of ${f.names.join()}`, v));
      return w.int(n);
    }
    case KIND_FIXED:
      return w.int(quantise(f, typed(f, v ?? 0, "number")));
    case KIND_ANGLE:
      return w.int(quantiseAngle(f, typed(f, v ?? 0, "number")));
    case KIND_FLOAT32:
      return w.float32(finite(f, Math.fround(typed(f, v ?? 0, "number"))));
    case KIND_FLOAT64:
      return w.float64(finite(f, typed(f, v ?? 0, "number")));
    case KIND_STRING:
      return w.str(cutText(typed(f, v ?? "", "string"), f.max));
    case KIND_BYTES:
      if (v !== undefined && !(v instanceof Uint8Array)) throw new TypeError(wrong(f, "a Uint8Array", v));
      return w.bin(v?.subarray(0, f.max) ?? new Uint8Array());
    default: { // a length beyond the slice's is cut, as its elements are
      const n = integer(f, v ?? 0);
      return w.int(f.kind === KIND_LEN && n > f.top ? f.top : n);
    }
  }
}

interface Types {
  boolean: boolean;
  number: number;
  string: string;
}

function typed<T extends keyof Types>(f: Field, v: Value, type: T): Types[T] {
  if (typeof v !== type) throw new TypeError(wrong(f, `a ${type}`, v));
  return v as Types[T];
}

function integer(f: Field, v: Value): number | bigint {
  if (typeof v !== "number" && typeof v !== "bigint") throw new TypeError(wrong(f, "a number", v));
  let [min, max]: (number | bigint)[] = [f.least, f.kind === KIND_LEN ? MAX_UINT32 : f.top];
  if (f.bits === 64) [min, max] = f.kind === KIND_INT ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
  const whole = typeof v === "bigint" || Number.isSafeInteger(v);
  if (!whole || v < min! || v > max!) throw new RangeError(wrong(f, `a whole number from ${min} to ${max}`, v));
  return v;
}

function wrong(f: Field, want: string, have: unknown): string {
  return `${f.name}: want ${want}, have ${String(have)}`;
}

function finite(f: Field, v: number): number {
  if (!Number.isFinite(v)) throw new RangeError(wrong(f, "a finite number", v));
  return v;
}
