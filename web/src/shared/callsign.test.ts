import assert from "node:assert/strict";
import { test } from "node:test";

import { callsign, tidy } from "./callsign.ts";
import { MAX_NAME } from "../arena/world.ts";

test("every callsign fits a ship", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 64; i++) {
    const name = callsign(() => i / 64);
    assert.match(name, /^[A-Z][a-z]+ [A-Z][a-z]+$/);
    assert.equal(tidy(name, MAX_NAME), name);
    seen.add(name);
  }
  assert.ok(seen.size > 40, `${seen.size} callsigns`);
  assert.doesNotMatch(callsign(() => 0.999999), /undefined/);
});

test("names are tidied and cut between characters", () => {
  assert.equal(tidy("  Ada \t  Lovelace ", 24), "Ada Lovelace");
  assert.equal(tidy("   ", 24), "");
  assert.equal(tidy("ÄÖÜ", 5), "ÄÖ");
  assert.equal(tidy("🚀🚀🚀", 9), "🚀🚀");
  assert.equal(tidy("abc defg", 4), "abc");
});
