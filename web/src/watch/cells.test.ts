import assert from "node:assert/strict";
import { test } from "node:test";

import { cell, columns } from "./cells.ts";

test("values are told so that people can read them", () => {
  assert.equal(cell(3), "3");
  assert.equal(cell(3.14159), "3.14");
  assert.equal(cell(true), "yes");
  assert.equal(cell(undefined), "");
  assert.equal(cell("a\n b"), "a b");
  assert.equal(cell(new Uint8Array(7)), "7 bytes");
  assert.equal(cell("x".repeat(200)).length, 80);
  assert.equal(cell(5n as never), "5");
});

test("columns stand in the order of the schema, and empty ones are left out", () => {
  const fields = [{ name: "A" }, { name: "B" }, { name: "C" }];
  assert.deepEqual(columns(fields, [{ C: 1, A: 2 }, { "D.0": 1 }]), ["A", "C", "D.0"]);
  assert.deepEqual(columns(fields, []), []);
});
