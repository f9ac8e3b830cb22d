import assert from "node:assert/strict";
import { test } from "node:test";
import type { PredictStep } from "../src/index.js";
import { DifferenceError, playVectors, type StepVectors } from "../src/vectors.js";
import { golden } from "./vectors.js";

interface Cart {
  X: number;
  Owner: number;
  Speed?: number; // the server does not send it
}

type Step = PredictStep<{ Carts: Cart; Stones: Cart }, { Push: number; Drop: boolean }, { dropped: { By: number } }>;

/** The game of netcode/vectors' test. */
function roll(s: Step): void {
  const { Carts, Stones } = s.state;
  for (const [id, stone] of Stones) {
    stone.X += stone.Speed ?? 0;
    if (stone.X < 0 || stone.X > 100) Stones.delete(id);
  }
  for (const cart of Carts.values()) {
    if (cart.Owner === s.seat) {
      for (const { input } of s.inputs.slice(-1)) {
        cart.Speed = (cart.Speed ?? 0) * 0.9 + input.Push;
        if (input.Drop && s.spawn("Stones", { X: cart.X, Speed: cart.Speed, Owner: s.seat }) !== 0) s.emit("dropped", { By: s.seat });
      }
    }
    cart.X = Math.max(0, Math.min(100, cart.X + (cart.Speed ?? 0)));
  }
}

const files = golden<StepVectors[]>("proto/testdata/steps.json");

for (const file of files) {
  test(`a step here is the rules that were recorded in Go: ${file.inputs}`, () => {
    const { ticks, equal, ignored } = playVectors(file, roll);
    assert.deepEqual([ticks, ignored], [60, 0]);
    assert.ok(equal > 200);
  });
}

test("the first difference is named", () => {
  const fails = (step: (s: Step) => void, want: RegExp) => {
    assert.throws(() => playVectors(files[0]!, step), (e) => e instanceof DifferenceError && want.test(e.message));
  };
  fails((s) => {
    roll(s);
    if (s.tick === 20) s.state.Carts.get(1)!.X += 0.02;
  }, /^tick 20: Carts\[1\]\.X: want /);
  fails((s) => {
    roll(s);
    s.state.Stones.clear();
  }, /^tick 6: Stones\[1\]: want a row, got none/);
  fails((s) => {
    roll(s);
    if (s.tick === 3) s.spawn("Stones", { X: 1, Owner: 1 });
  }, /^tick 3: Stones\[-1\]: want none, got a row/);
  fails((s) => {
    roll(s);
    if (s.tick === 4) s.emit("dropped", { By: 3 });
  }, /^tick 4: dropped\[0\]: want no event/);
  fails((s) => {
    roll(s);
    if (s.tick === 60) s.emit("dropped", { By: 3 });
  }, /^tick 60: dropped\[0\]: want no event/);
});

test("what a step cannot know is passed over", () => {
  const blind = (s: Step) => {
    roll(s);
    if (s.tick === 20) s.state.Carts.get(1)!.X += 5;
  };
  const { ignored } = playVectors(files[0]!, blind, {
    ignore: (d) => (d.table === "Carts" && d.tick === 20 && d.steps === 500) || (d.tick > 20 && d.steps === 1),
  });
  assert.ok(ignored > 0);
});
