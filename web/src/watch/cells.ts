// The values of rows as people read them.

import type { Value } from "@muster/client";

const MOST = 80; // characters of one value

/** A value in a cell. */
export function cell(value: Value | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toFixed(2);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return short(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === "bigint") return String(value);
  return short(JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v)) ?? "");
}

function short(text: string): string {
  const plain = text.replace(/\s+/gu, " ");
  return plain.length > MOST ? `${plain.slice(0, MOST - 1)}…` : plain;
}

/** The columns that rows have, in the order of the schema; those that no row has are left out. */
export function columns(fields: readonly { readonly name: string }[], rows: Iterable<object>): string[] {
  const had = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) had.add(name);
  const known = fields.map((f) => f.name).filter((n) => had.has(n));
  return [...known, ...[...had].filter((n) => !known.includes(n))];
}
