import assert from "node:assert/strict";
import { test } from "node:test";

import { bots, plan, wish } from "./ways.ts";

test("an address says how to play, and whether at once", () => {
  assert.deepEqual(wish("?go=bots&bots=2"), { way: { kind: "bots", bots: 2 }, go: true, config: {} });
  assert.deepEqual(wish("?way=players"), { way: { kind: "players" }, go: false, config: {} });
  assert.deepEqual(wish("?code=kfr-7wq"), { way: { kind: "friends", code: "KFR7WQ" }, go: false, config: {} });
  assert.deepEqual(wish("?go=moon&target=9&turn=121"), { way: undefined, go: false, config: {} });
  assert.deepEqual(wish("?way=bots&target=50&turn=5").config, { target: 50, turn_seconds: 5 });
});

test("each way leads to its own table", () => {
  assert.deepEqual(plan({ kind: "players" }, {}), { queue: "cards" });
  assert.deepEqual(plan({ kind: "friends", code: "KFR7WQ" }, {}), { code: "KFR7WQ" });
  const bots = plan({ kind: "bots", bots: 2 }, { target: 50 });
  assert.ok("game" in bots);
  assert.deepEqual(bots.config, { bots: 2, target: 50 });
  const friends = plan({ kind: "friends", code: "" }, {});
  assert.ok("game" in friends);
  assert.deepEqual(friends.config, { gather_seconds: 600 });
});

test("a number of bots is one that a table takes", () => {
  for (const [text, want] of [["1", 1], ["3", 3], ["4", 3], ["0", 3], ["", 3], [null, 3]] as const) assert.equal(bots(text), want);
});
