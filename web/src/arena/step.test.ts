import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { playVectors, type StepVectors } from "@muster/client/vectors";

import { seen, step } from "./step.ts";

// Recorded from games/arena's rules by its tests.
const flights = JSON.parse(readFileSync(new URL("../../../games/arena/testdata/flights.json", import.meta.url), "utf8")) as StepVectors[];

flights.forEach((flight, i) => {
  test(`a flight is the server's, bit for bit: ${i === 0 ? "of who sees the world as it is" : "of who sees it late"}`, () => {
    const { ticks, equal, ignored } = playVectors(flight, step, { tables: ["Ships", "Bullets", "Round", "Field"] });
    assert.deepEqual([ticks, ignored], [400, 0]);
    assert.ok(equal > 10_000, `${equal} columns compared`);
  });
});

test("an own bullet is seen to leave the nose", () => {
  assert.deepEqual(seen({ X: 250, Y: 100, Owner: 1, VX: 500, VY: 0, Lag: 3 }, 20), { X: 175, Y: 100 });
  assert.deepEqual(seen({ X: 250, Y: 100, Owner: 2 }, 20), { X: 250, Y: 100 });
});
