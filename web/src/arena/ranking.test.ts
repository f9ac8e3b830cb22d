import assert from "node:assert/strict";
import { test } from "node:test";

import { leader, ranking, shortlist } from "./ranking.ts";
import type { Ship } from "./world.ts";

const ships = (...list: [seat: number, score: number, deaths: number][]) =>
  list.map(([seat, score, deaths], i): [number, Ship] => [
    i + 1,
    {
      X: 0, Y: 0, Angle: 0, Owner: seat, Name: `p${seat}`, HP: 100, Score: score, Deaths: deaths, Thrust: false, Shield: false,
      Away: false, Spawn: 0, Heat: 0, Jammed: false,
    },
  ]);

test("ships are ranked by score, and equal scores share a rank", () => {
  const ranks = ranking(ships([1, 2, 5], [2, 7, 0], [3, 2, 1], [4, 0, 0]));
  assert.deepEqual(ranks.map((r) => [r.seat, r.rank]), [[2, 1], [3, 2], [1, 2], [4, 4]]);
});

test("a leader has points, and more than anyone else", () => {
  assert.equal(leader(ranking(ships([1, 2, 0], [2, 3, 0]))), 2);
  assert.equal(leader(ranking(ships([1, 3, 0], [2, 3, 0]))), 0);
  assert.equal(leader(ranking(ships([1, 0, 0], [2, 0, 0]))), 0);
  assert.equal(leader(ranking(ships([5, 1, 0]))), 5);
  assert.equal(leader([]), 0);
});

test("a short list has the best and always the own row", () => {
  const ranks = ranking(ships([1, 9, 0], [2, 8, 0], [3, 7, 0], [4, 6, 0], [5, 5, 0]));
  assert.deepEqual(shortlist(ranks, 2, 3).map((r) => r.seat), [1, 2, 3]);
  assert.deepEqual(shortlist(ranks, 5, 3).map((r) => r.seat), [1, 2, 5]);
  assert.deepEqual(shortlist(ranks, 9, 3).map((r) => r.seat), [1, 2, 3]);
  assert.deepEqual(shortlist([], 1, 3), []);
});
