import assert from "node:assert/strict";
import { test } from "node:test";

import { minutes, rate } from "./hud.ts";

test("the clock counts down to zero and is never over too early", () => {
  assert.equal(minutes(180), "3:00");
  assert.equal(minutes(179.99), "3:00");
  assert.equal(minutes(61), "1:01");
  assert.equal(minutes(60), "1:00");
  assert.equal(minutes(59.2), "1:00");
  assert.equal(minutes(0.01), "0:01");
  assert.equal(minutes(0), "0:00");
  assert.equal(minutes(-3), "0:00");
});

test("bytes are readable", () => {
  assert.equal(rate(0), "0 B/s");
  assert.equal(rate(999.4), "999 B/s");
  assert.equal(rate(1049), "1.0 kB/s");
  assert.equal(rate(2480), "2.5 kB/s");
  assert.equal(rate(123_456), "123 kB/s");
});
