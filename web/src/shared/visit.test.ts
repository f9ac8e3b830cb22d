import assert from "node:assert/strict";
import { test } from "node:test";

import { matches } from "./visit.ts";

test("matches are played one after the other, each after what became of the one before", async () => {
  const after: string[] = [];
  const end = await matches("begin", async (outcome) => {
    after.push(outcome);
    return { next: ["lost", "again", "left"][after.length - 1]!, played: true };
  }, (outcome) => outcome === "left");
  assert.equal(end, "left");
  assert.deepEqual(after, ["begin", "lost", "again"]);
});

test("three seats in a row that nobody could take are enough, and one that was played counts anew", async () => {
  let n = 0;
  await assert.rejects(matches("again", async () => ({ next: "again", played: ++n === 3 }), () => false), /nobody is there to take them/);
  assert.equal(n, 6);
});

test("what was asked for last is the last although nothing was played", async () => {
  assert.equal(await matches("again", async () => ({ next: "left", played: false }), (outcome) => outcome === "left"), "left");
});
