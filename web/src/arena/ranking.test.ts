import assert from "node:assert/strict";
import { test } from "node:test";

import { leader, leaders, ordinal, ranking, shortlist } from "./ranking.ts";
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

test("where only the leaders are known, the own ship stands below them without a rank, or among them once", () => {
  const own = { Owner: 5, Name: "me", Score: 3, Deaths: 1, Away: false } as Ship;
  const rows = (list: [number, number][]) => list.map(([Seat, Score], i): [number, { Seat: number; Name: string; Score: number }] => [i, { Seat, Name: `p${Seat}`, Score }]);
  assert.deepEqual(leaders(rows([[300, 7], [301, 9]]), own).map((r) => [r.rank, r.seat, r.score]), [[1, 301, 9], [2, 300, 7], [0, 5, 3]]);
  assert.deepEqual(leaders(rows([[300, 7], [5, 2]]), own).map((r) => [r.rank, r.seat, r.score]), [[1, 300, 7], [2, 5, 3]]);
  assert.deepEqual(leaders(rows([]), undefined), []);
});

test("ranks are told as people tell them", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal), ["", "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]);
});
