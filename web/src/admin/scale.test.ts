import assert from "node:assert/strict";
import { test } from "node:test";

import { lately, marksOf, most, nearest, rowsOf, rungs, runs, type Sample, SPAN, spanOf, top } from "./scale.ts";

const at = (...times: number[]): Sample[] => times.map((t) => ({ at: t, values: [t, 1] }));

test("a plot is as high as a round number that nothing exceeds", () => {
  for (const [m, least, want] of [[0, 5, 5], [3, 5, 5], [6, 5, 10], [10, 5, 10], [11, 5, 20], [49, 1, 50], [51, 1, 100], [0.3, 0.1, 0.5], [99_999, 1, 100_000]] as const) {
    assert.ok(Math.abs(top(m, least) - want) < 1e-9, `${m}: ${top(m, least)}`);
  }
});

test("a plot that has just begun shows less time, with marks that fit", () => {
  assert.deepEqual([at(), at(5), at(1, 50), at(1, 61), at(1, 150), at(1, 301)].map(spanOf), [60, 60, 60, 120, 300, 300]);
  assert.deepEqual(marksOf(60).map(([, text]) => text), ["−15 s", "−30 s", "−45 s"]);
  assert.deepEqual(marksOf(120).map(([, text]) => text), ["−30 s", "−1 min", "−90 s"]);
  assert.deepEqual(marksOf(300), [[60, "−1 min"], [120, "−2 min"], [180, "−3 min"], [240, "−4 min"]]);
});

test("counts have no line at half a thing", () => {
  assert.deepEqual(rungs(1, true), [1]);
  assert.deepEqual(rungs(5, true), [5]);
  assert.deepEqual(rungs(1, false), [0.5, 1]);
  assert.deepEqual(rungs(10, true), [5, 10]);
});

test("lines are broken where nobody watched", () => {
  assert.deepEqual(runs([]), []);
  assert.deepEqual(runs(at(1, 2, 5, 9, 10, 60)), [[0, 2], [3, 4], [5, 5]]);
});

test("what is older than the plot is left out, whatever order samples come in", () => {
  const list = lately(at(1000, 700, 701, 999, 650));
  assert.deepEqual(list.map((s) => s.at), [701, 999, 1000]);
  assert.equal(SPAN, 300);
  assert.deepEqual(lately([]), []);
});

test("the nearest sample is found, and the greatest value", () => {
  assert.equal(nearest(at(10, 20, 30), 24), 1);
  assert.equal(nearest(at(10, 20, 30), 1000), 2);
  assert.equal(nearest([], 3), -1);
  assert.equal(most(at(3, 9, 4)), 9);
  assert.equal(most([]), 0);
});

test("a table has the newest sample first, and then some that are apart", () => {
  assert.deepEqual(rowsOf(at(1, 2, 3, 12, 13, 14), 10).map((s) => s.at), [14, 3]);
});
