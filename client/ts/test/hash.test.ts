import assert from "node:assert/strict";
import { test } from "node:test";
import { type Cell, type Field } from "../src/field.js";
import { KIND_BYTES, KIND_INT, KIND_STRING } from "../src/kinds.js";
import { ViewHash } from "../src/hash.js";

const U64 = (v: bigint) => BigInt.asUintN(64, v);

function mix(x: bigint): bigint {
  x = U64((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n);
  x = U64((x ^ (x >> 27n)) * 0x94d049bb133111ebn);
  return x ^ (x >> 31n);
}

function textValue(bytes: Uint8Array): bigint {
  let h = 14695981039346656037n;
  for (const b of bytes) h = U64((h ^ BigInt(b)) * 1099511628211n);
  return h;
}

const field = (kind: number, bits = 0): Field => ({ name: "f", kind, flags: 0, bits, max: 99, min: 0, least: 0, step: 1, top: 1, names: [], ref: 0 });

test("arithmetic in halves is arithmetic in 64 bits", () => {
  const hash = new ViewHash();
  let want = 0n;
  const add = (table: number, column: number, f: Field, id: number, cell: Cell, value: bigint) => {
    hash.add(table, column, f, id, cell);
    want = U64(want + mix(U64(mix((BigInt(id) << 32n) | BigInt((table << 16) | column)) + U64(value))));
    assert.equal(hash.value, want, `${table} ${column} ${id} ${String(cell)}`);
  };
  const numbers = [0, 1, -1, 255, -128, 2 ** 31, -(2 ** 31), 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, -(2 ** 40) - 5];
  numbers.forEach((n, i) => add(i, 255 - i, field(KIND_INT, 32), 0x7fffffff - i, n, BigInt(n)));
  for (const n of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 0x123456789abcdef0n]) add(63, 0, field(KIND_INT, 64), 1, n, n);
  for (const s of ["", "a", "Åsa 🂡", "\ufeff"]) add(1, 2, field(KIND_STRING), 65537, s, textValue(new TextEncoder().encode(s)));
  for (const b of [[], [0], [255, 0, 128]]) add(1, 3, field(KIND_BYTES), 65537, Uint8Array.from(b), textValue(Uint8Array.from(b)));
});
