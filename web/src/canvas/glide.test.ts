import assert from "node:assert/strict";
import { test } from "node:test";

import { Glide } from "./glide.ts";

test("a pointer moves evenly from where it is shown, also when it is sent elsewhere on its way", () => {
  const g = new Glide({ x: 0, y: 0 });
  g.go({ x: 100, y: 0 }, 1000, 100);
  assert.deepEqual(g.at(1050), { x: 50, y: 0 });
  g.go({ x: 50, y: 100 }, 1050, 100);
  assert.deepEqual(g.at(1050), { x: 50, y: 0 });
  assert.deepEqual(g.at(1100), { x: 50, y: 50 });
  assert.ok(g.moving(1149));
  assert.deepEqual(g.at(9999), { x: 50, y: 100 });
  assert.ok(!g.moving(1150));
});

test("it jumps over a long way, and where nothing is to move", () => {
  const g = new Glide({ x: 0, y: 0 });
  g.go({ x: 4000, y: 0 }, 0, 100);
  assert.deepEqual(g.at(0), { x: 4000, y: 0 });
  g.go({ x: 3990, y: 0 }, 0, 0);
  assert.deepEqual(g.at(0), { x: 3990, y: 0 });
});
