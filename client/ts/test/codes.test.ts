import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOf, codeName } from "../src/index.js";
import { Codes, PROTOCOL } from "../src/wire.js";
import { golden } from "./vectors.js";

test("the table of codes is the golden one", () => {
  const rows = Codes.map((row) => ({ code: row.code, name: row.name, action: actionOf(row.code), meaning: row.meaning }));
  assert.deepEqual(rows, golden("proto/testdata/codes.json"));
});

test("the range of a code that nobody knows says what to do", () => {
  for (const [action, codes] of Object.entries({
    done: [1000],
    reconnect: [1001, 1005, 1006, 1011, 1012, 1013, 1014, 4000, 4150, 4199],
    requeue: [4200, 4350, 4399],
    stop: [1002, 1003, 1004, 1007, 1008, 1009, 1010, 1015, 3000, 3999, 4400, 4599, 4600, 4999, 0],
  })) {
    for (const code of codes) assert.equal(actionOf(code), action, String(code));
  }
  assert.equal(codeName(4350), "unknown");
  assert.equal(codeName(1006), "lost");
});

test("the protocol's version is the one of the golden welcome", () => {
  const messages = golden<{ name: string; value: number[] }[]>("proto/testdata/messages.json");
  assert.equal(messages.find((m) => m.name === "welcome")?.value[1], PROTOCOL);
});
