import assert from "node:assert/strict";
import { test } from "node:test";

import { Streak } from "./streak.ts";

test("kills in quick succession have names, and the fifth counts on", () => {
  const s = new Streak();
  assert.deepEqual([0, 4000, 8000, 12_000, 16_000, 20_000].map((at) => s.kill(at)), ["", "Double", "Triple", "Quadruple", "5 in a row", "6 in a row"]);
});

test("a pause or one's own end begins anew", () => {
  const s = new Streak();
  s.kill(0);
  assert.equal(s.kill(5001), "");
  assert.equal(s.kill(6000), "Double");
  s.end();
  assert.equal(s.kill(6001), "");
});
