import assert from "node:assert/strict";
import { test } from "node:test";

import { between, copy, type Rows } from "./between.ts";
import type { Ship } from "./world.ts";

const state = (x: number, angle: number, bullets: [number, number][] = []): Rows => ({
  Ships: new Map([[1, { X: x, Y: 0, Angle: angle } as Ship]]),
  Bullets: new Map(bullets.map(([id, at]) => [id, { X: at, Y: 0, Owner: 1 }])),
});

test("rows glide from one state to the next, angles the short way round", () => {
  const { Ships } = between(state(10, 6.2), state(20, 0.1), 0.5);
  const ship = Ships.get(1)!;
  assert.equal(ship.X, 15);
  assert.ok(Math.abs(ship.Angle - (6.2 + (0.1 + 2 * Math.PI - 6.2) / 2)) < 1e-9);
});

test("a row that comes is not there before, one that goes stays until then", () => {
  const { Bullets } = between(state(0, 0, [[1, 5]]), state(0, 0, [[2, 9]]), 0.9);
  assert.deepEqual([...Bullets.keys()], [1]);
});

test("a copy does not change with the world", () => {
  const world = state(10, 0);
  const kept = copy(world);
  world.Ships.get(1)!.X = 99;
  assert.equal(kept.Ships.get(1)!.X, 10);
});
