import assert from "node:assert/strict";
import { test } from "node:test";

import { intoSight, moveOf } from "./keys.ts";

test("arrows move the pointer, farther with Shift, and finely with Alt", () => {
  const key = (name: string, more = {}) => moveOf({ key: name, shiftKey: false, altKey: false, ...more });
  assert.deepEqual(key("ArrowLeft"), { x: -12, y: 0 });
  assert.deepEqual(key("ArrowDown", { shiftKey: true }), { x: 0, y: 64 });
  assert.deepEqual(key("ArrowUp", { altKey: true }), { x: 0, y: -2 });
  assert.equal(key("a"), undefined);
});

test("the paper moves when the pointer comes near its edge", () => {
  assert.deepEqual(intoSight({ x: 10, y: 50 }, 100, 100, 20), { x: 10, y: 0 });
  assert.deepEqual(intoSight({ x: 50, y: 130 }, 100, 100, 20), { x: 0, y: -50 });
  assert.deepEqual(intoSight({ x: 3, y: 3 }, 10, 10, 20), { x: 2, y: 2 });
});
