// The golden files that Go writes and both sides check themselves against.
import { readFileSync } from "node:fs";

/** Reads a golden file of a Go package. */
export function golden<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")) as T;
}

export function unhex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** JSON of a golden file; integers of 64 bits are {"int"}, byte strings {"bin"}, unquantised floats {"f64"}. */
export type Golden = null | boolean | number | string | Golden[] | { int?: string; bin?: string; f64?: string };

export function float(bits: string): number {
  return new DataView(unhex(bits).buffer).getFloat64(0);
}

/** The value that the JSON stands for. */
export function ungolden(v: Golden): unknown {
  if (Array.isArray(v)) return v.map(ungolden);
  if (typeof v !== "object" || v === null) return v;
  if (v.int !== undefined) return BigInt(v.int);
  if (v.bin !== undefined) return unhex(v.bin);
  return float(v.f64!);
}
