import assert from "node:assert/strict";
import { test } from "node:test";

import type { Happening } from "../scene.ts";
import { Listener, placed, type Ear } from "./ear.ts";

const ear: Ear = { x: 500, y: 500, half: 400, own: 1 };
const at = (places: { [seat: number]: [number, number] }) => (seat: number) => {
  const p = places[seat];
  return p && { x: p[0], y: p[1] };
};
const shot = (owner: number, x: number): Happening => ({ kind: "shot", owner, x, y: 500, dx: 1, dy: 0 });

test("what is near is louder than what is far, and what is very far is not heard", () => {
  const near = placed(600, 500, ear)!;
  const far = placed(900, 500, ear)!;
  assert.ok(near.gain > 2 * far.gain);
  assert.ok(far.pan > near.pan && near.pan > 0);
  assert.ok(placed(100, 500, ear)!.pan < 0);
  assert.equal(placed(5000, 500, ear), undefined);
});

test("an own hit is confirmed, a hit that was taken hurts, one between others is only heard", () => {
  const hear = (victim: number, by: number) =>
    new Listener().hear([{ kind: "hit", victim, by }], at({ 1: [500, 500], 2: [600, 500], 3: [400, 500] }), ear, 0).map((h) => h.voice);
  assert.deepEqual(hear(2, 1), ["hit", "marker"]);
  assert.deepEqual(hear(1, 2), ["hurt"]);
  assert.deepEqual(hear(2, 3), ["hit"]);
});

test("an own kill has its own sound besides the explosion; one's own end has none of triumph", () => {
  const hear = (victim: number, by: number) =>
    new Listener().hear([{ kind: "kill", victim, by }], at({ 1: [500, 500], 2: [600, 500] }), ear, 0).map((h) => h.voice);
  assert.deepEqual(hear(2, 1), ["explosion", "kill"]);
  assert.deepEqual(hear(1, 2), ["explosion"]);
});

test("a hundred guns at once are a few sounds, and later there is room for more", () => {
  const l = new Listener();
  const guns = Array.from({ length: 100 }, (_, i) => shot(i + 2, 500 + i));
  assert.equal(l.hear(guns, at({}), ear, 0).length, 4);
  assert.equal(l.hear(guns, at({}), ear, 50).length, 0);
  assert.equal(l.hear(guns, at({}), ear, 200).length, 4);
});

test("a ship that is not drawn makes no sound at a place", () => {
  assert.deepEqual(new Listener().hear([{ kind: "kill", victim: 7, by: 8 }], at({}), ear, 0), []);
});
