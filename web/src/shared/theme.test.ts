import assert from "node:assert/strict";
import { test } from "node:test";

import { decide, worth } from "./theme.ts";

test("a remembered choice goes before the system's, and nonsense does not", () => {
  assert.equal(decide("light", "dark"), "light");
  assert.equal(decide("dark", "light"), "dark");
  assert.equal(decide(undefined, "light"), "light");
  assert.equal(decide("purple", "dark"), "dark");
});

test("a choice that the system has, too, is not remembered: the page follows it again", () => {
  assert.equal(worth("light", "dark"), "light");
  assert.equal(worth("dark", "dark"), undefined);
});
