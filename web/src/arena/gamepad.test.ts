import assert from "node:assert/strict";
import { test } from "node:test";

import { readPad, type RawPad } from "./gamepad.ts";

const pad = (x: number, y: number, pressed: number[] = []): RawPad => ({
  axes: [x, y], buttons: Array.from({ length: 16 }, (_, i) => ({ pressed: pressed.includes(i) })),
});

test("no gamepad says nothing, one at rest that it rests", () => {
  assert.equal(readPad([]), undefined);
  assert.equal(readPad([null, null]), undefined);
  assert.deepEqual(readPad([null, pad(0.05, -0.1)]), { push: undefined, fire: false });
});

test("the stick flies, buttons fire, and the one in use counts", () => {
  assert.deepEqual(readPad([pad(0, 0), pad(0.9, 0.1)]), { push: { x: 0.9, y: 0.1 }, fire: false });
  assert.deepEqual(readPad([pad(0, 0, [7])]), { push: undefined, fire: true });
  assert.deepEqual(readPad([pad(0, 0, [9])]), { push: undefined, fire: false }, "the menu button does not fire");
});
