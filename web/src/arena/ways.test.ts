import assert from "node:assert/strict";
import { test } from "node:test";

import { bots, isCode, tidyCode, wish } from "./ways.ts";

test("an address says how to play, and whether at once", () => {
  assert.deepEqual(wish("?go=bots&bots=3"), { way: { kind: "bots", bots: 3 }, go: true, overlay: false, sim: "", open: false, round: 0 });
  assert.deepEqual(wish("?go=crowd&overlay=1"), { way: { kind: "crowd" }, go: true, overlay: true, sim: "", open: false, round: 0 });
  assert.deepEqual(wish("?way=players&sim=mobile"), { way: { kind: "players" }, go: false, overlay: false, sim: "mobile", open: false, round: 0 });
  assert.deepEqual(wish(""), { way: undefined, go: false, overlay: false, sim: "", open: false, round: 0 });
});

test("a shared code leads to the friends' room and waits for a name", () => {
  assert.deepEqual(wish("?code=kfr7wq"), { way: { kind: "friends", code: "KFR7WQ" }, go: false, overlay: false, sim: "", open: false, round: 0 });
  assert.deepEqual(wish("?code=kfr7"), { way: undefined, go: false, overlay: false, sim: "", open: false, round: 0 });
});

test("an address that asks for nonsense asks for nothing", () => {
  assert.equal(wish("?go=moon").way, undefined);
  assert.equal(wish("?go=moon").go, false);
});

test("a round of an own room may be short, within what the game takes", () => {
  for (const [text, want] of [["10", 10], ["180", 180], ["9", 0], ["181", 0], ["15.5", 0], ["", 0]] as const) assert.equal(wish(`?round=${text}`).round, want);
});

test("codes are typed in many ways", () => {
  assert.equal(tidyCode(" kfr-7wq "), "KFR7WQ");
  assert.equal(tidyCode("KFR7WQXX"), "KFR7WQ");
  assert.ok(isCode("KFR7WQ"));
  for (const code of ["", "KFR7W", "kfr7wq", "KFR 7W"]) assert.ok(!isCode(code), code);
});

test("a number of bots is one that a room takes", () => {
  for (const [text, want] of [["1", 1], ["15", 15], ["0", 8], ["16", 8], ["2.5", 8], ["many", 8], ["", 8], [null, 8]] as const) assert.equal(bots(text), want);
});
