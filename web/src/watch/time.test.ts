import assert from "node:assert/strict";
import { test } from "node:test";

import { ago, minutes, nextSpeed, soon } from "./time.ts";

test("ticks are told as minutes and seconds", () => {
  for (const [ticks, rate, want] of [[0, 20, "0:00"], [19, 20, "0:00"], [20, 20, "0:01"], [1199, 20, "0:59"], [1200, 20, "1:00"], [72_000, 20, "60:00"], [-5, 20, "0:00"]] as const) {
    assert.equal(minutes(ticks, rate), want);
  }
  assert.equal(minutes(1234, 20, true), "1:01.7");
  assert.equal(minutes(1239, 20, true), "1:01.9");
  assert.equal(minutes(60, 60, true), "0:01.0");
});

test("the next speed is one up or down, and the last one at the end", () => {
  assert.equal(nextSpeed(1, true), 2);
  assert.equal(nextSpeed(1, false), 0.5);
  assert.equal(nextSpeed(8, true), 8);
  assert.equal(nextSpeed(0.25, false), 0.25);
  assert.equal(nextSpeed(3, true), 4);
  assert.equal(nextSpeed(3, false), 2);
  assert.equal(nextSpeed(16, false), 8);
});

test("how long ago is told roughly", () => {
  const now = Date.parse("2026-01-02T12:00:00Z");
  assert.equal(ago("2026-01-02T11:59:30Z", now), "just now");
  assert.equal(ago("2026-01-02T11:40:00Z", now), "20 min ago");
  assert.equal(ago("2026-01-02T02:00:00Z", now), "10 h ago");
  assert.equal(ago("2025-12-30T12:00:00Z", now), "3 days ago");
  assert.equal(ago("never", now), "");
});

test("why nothing is shown yet is told with for how long", () => {
  assert.equal(soon(11_200, false), "The match is shown in 12 s …");
  assert.equal(soon(11_200, true), "The match goes on at another server. The broadcast continues in 12 s …");
  assert.equal(soon(180_000, true), "The match goes on at another server. The broadcast continues in 3 min …");
  assert.equal(soon(0, true), "The broadcast continues in a moment …");
  assert.equal(soon(-500, false), "The match is shown in a moment …");
  assert.equal(soon(NaN, false), "The match is shown in a moment …");
});
