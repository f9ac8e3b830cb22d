import assert from "node:assert/strict";
import { test } from "node:test";

import { Ink, onBoard, pressed } from "./ink.ts";
import { BOARD } from "./world.ts";

test("points that nobody could see apart are left out, and each is taken once", () => {
  const ink = new Ink(1, 6);
  assert.ok(ink.add({ x: 10, y: 10 }, 1));
  assert.ok(!ink.add({ x: 11, y: 10 }, 1));
  assert.ok(ink.add({ x: 12, y: 10 }, 1));
  assert.deepEqual(ink.take(), [10, 10, 12, 10]);
  assert.deepEqual(ink.take(), []);
  assert.ok(ink.add({ x: 13, y: 10 }, 4), "nearer ones count when the paper is near");
  assert.ok(!ink.add({ x: 13.2, y: 10 }, 4, undefined, 0), "a point is no line");
  assert.deepEqual(ink.take(), [13, 10]);
});

test("a line ends at the board's edge", () => {
  assert.deepEqual(onBoard({ x: -5, y: 1e9 }), [BOARD.left, BOARD.bottom]);
});

test("a pen makes lines wider that is pressed harder, within what the rules allow", () => {
  assert.equal(pressed(10, 0.5), 10);
  assert.ok(pressed(10, 0.1) < 10 && pressed(10, 1) > 10);
  assert.equal(pressed(64, 1), 64);
  assert.equal(pressed(1, 0.01), 1);
});

test("a pen's line gets its width by its first points, and keeps it", () => {
  const pen = new Ink(0, 10);
  const draw = (from: number, to: number, pressure?: number) => {
    for (let x = from; x < to; x += 5) pen.add({ x, y: 0 }, 1, pressure);
  };
  draw(0, 5, 0.1);
  assert.ok(!pen.settled);
  draw(5, 30, 1);
  assert.ok(pen.settled);
  const { width } = pen;
  assert.ok(width > 12, `${width}`);
  draw(30, 300, 0.01);
  assert.equal(pen.width, width);
  const mouse = new Ink(0, 10);
  mouse.add({ x: 0, y: 0 }, 1);
  assert.ok(mouse.settled);
  assert.equal(mouse.width, 10);
});
