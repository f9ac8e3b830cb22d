import assert from "node:assert/strict";
import { test } from "node:test";

import { type Stroke, Strokes, touches } from "./strokes.ts";

const line = (key: string, order: number, ...points: number[]): Stroke => ({ key, order, colour: 0, width: 4, points });

test("lines lie in their order whichever comes first, and one that comes again takes its own place", () => {
  const s = new Strokes();
  for (const [key, order] of [["c", 3], ["a", 1], ["d", 3], ["b", 2]] as const) s.put(line(key, order, 0, 0, 10, 10));
  assert.deepEqual(s.all.map((k) => k.key), ["a", "b", "c", "d"]);
  s.put(line("b", 2, 0, 0, 50, 50));
  assert.deepEqual(s.all.map((k) => k.key), ["a", "b", "c", "d"]);
  assert.equal(s.get("b")!.box.right, 52);
  s.put(line("a", 9, 0, 0, 1, 1));
  s.remove("c");
  assert.equal(s.remove("c"), undefined);
  assert.deepEqual(s.all.map((k) => k.key), ["b", "d", "a"]);
  assert.equal(s.size, 3);
});

test("a line is touched along its whole length, with its width, and a dot, too", () => {
  const s = new Strokes();
  const kept = s.put(line("a", 1, 0, 0, 100, 0, 100, 100));
  assert.ok(touches(kept, { x: 50, y: 4 }, 2));
  assert.ok(!touches(kept, { x: 50, y: 4.1 }, 2));
  assert.ok(touches(kept, { x: 96.5, y: 70 }, 2));
  assert.ok(!touches(kept, { x: 50, y: 50 }, 20), "the box is not the line");
  const dot = s.put(line("b", 2, 10, 10));
  assert.ok(touches(dot, { x: 12, y: 12 }, 1));
  assert.ok(!touches(dot, { x: 14, y: 14 }, 1));
  assert.deepEqual(s.at({ x: 10, y: 5 }, 9).map((k) => k.key), ["b", "a"]);
});

test("what lies above is known, for a new line is drawn over all others only where it is the uppermost", () => {
  const s = new Strokes();
  const low = s.put(line("a", 1, 0, 0, 10, 0));
  s.put(line("b", 2, 100, 0, 110, 0));
  assert.ok(s.isTop(low, low.box));
  s.put(line("c", 3, 5, -5, 5, 5));
  assert.ok(!s.isTop(low, low.box));
  assert.deepEqual(s.within(low.box).map((k) => k.key), ["a", "c"]);
});
