import assert from "node:assert/strict";
import { test } from "node:test";

import { ago, elapsed, endedText, names, stateText, usual, whyWaiting } from "./words.ts";

test("times are short", () => {
  const now = Date.parse("2026-01-02T15:00:00");
  assert.equal(ago(now - 20_000, now), "now");
  assert.equal(ago(now - 5 * 60_000, now), "5 min");
  assert.match(ago(now - 3 * 3_600_000, now), /^12:00|^12:00 PM$/);
  assert.match(ago(now - 48 * 3_600_000, now), /31/);
  assert.equal(elapsed(65_900), "1:05");
  assert.equal(usual(0.2), "under a second");
  assert.equal(usual(12.4), "about 12 s");
  assert.equal(usual(300), "about 5 min");
});

test("why somebody waits is told once, with what the rules do", () => {
  const first = { rule: "skill", text: "Ratings may differ by 100 so far.", removes: 3, alone: 2 };
  const why = whyWaiting({
    state: "waiting", text: `Of 4 other players who wait, 1 player could play with you now; a match needs 4, you included. ${first.text}`,
    waiting: 4, fitting: 1, needed: 4, rules: [first, { rule: "region", text: "No region is near to all.", removes: 1, alone: 0 }],
    expected_wait: { rating_from: 0, rating_to: 1, tickets: 9, p50_seconds: 20, p90_seconds: 60 },
  } as Parameters<typeof whyWaiting>[0]);
  assert.deepEqual(why.rules, ["No region is near to all. (keeps 1 away)"]);
  assert.equal(why.usual, "Others waited about 20 s lately.");
});

test("states, ends and lists are in words", () => {
  assert.equal(stateText("in_match"), "in a match");
  assert.equal(stateText(undefined), "offline");
  assert.equal(endedText({ state: "cancelled", reason: "the party has changed" }), "No longer waiting. The party has changed.");
  assert.equal(endedText({ state: "expired" }), "Nobody was found in time.");
  assert.equal(names(["Ann"]), "Ann");
  assert.equal(names(["Ann", "Bob", "Cleo"]), "Ann, Bob and Cleo");
  assert.equal(names(["Ann", "Bob", "Cleo", "Dan", "Eve"]), "Ann, Bob, Cleo and 2 more");
});
