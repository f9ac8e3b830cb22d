import assert from "node:assert/strict";
import { test } from "node:test";

import { Controls, steer } from "./controls.ts";
import { FULL } from "./world.ts";

const keyboard = () => {
  const target = new EventTarget();
  const send = (name: string, code: string, more: object = {}) => {
    const e = Object.assign(new Event(name, { cancelable: true }), { code, ...more });
    target.dispatchEvent(e);
    return e.defaultPrevented;
  };
  return { target, down: (code: string, more?: object) => send("keydown", code, more), up: (code: string) => send("keyup", code), blur: () => send("blur", "") };
};

test("held keys steer, by arrows and by letters", () => {
  for (const [left, right, ahead, back] of [["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], ["KeyA", "KeyD", "KeyW", "KeyS"]] as const) {
    const k = keyboard();
    const c = new Controls(k.target);
    k.down(left);
    k.down(ahead);
    assert.deepEqual(c.input(0), { Turn: -FULL, Thrust: FULL, Fire: false });
    assert.deepEqual(c.input(0), { Turn: -FULL, Thrust: FULL, Fire: false });
    k.down(right);
    k.up(ahead);
    k.down(back);
    k.down("Space");
    assert.deepEqual(c.input(0), { Turn: 0, Thrust: -FULL, Fire: true });
    k.up(left);
    k.up(back);
    k.up("Space");
    assert.deepEqual(c.input(0), { Turn: FULL, Thrust: 0, Fire: false });
  }
});

test("a short tap counts once", () => {
  const k = keyboard();
  const c = new Controls(k.target);
  k.down("Space");
  k.up("Space");
  assert.equal(c.input(0).Fire, true);
  assert.equal(c.input(0).Fire, false);
});

test("keys of the game do not scroll the page; shortcuts and other keys are left alone", () => {
  const k = keyboard();
  const c = new Controls(k.target);
  assert.equal(k.down("ArrowDown"), true);
  assert.equal(k.down("KeyR"), false);
  assert.equal(k.down("KeyW", { ctrlKey: true }), false);
  assert.equal(k.down("KeyA", { metaKey: true }), false);
  assert.deepEqual(c.input(0), { Turn: 0, Thrust: -FULL, Fire: false });
});

test("each change of a key is told at once", () => {
  const k = keyboard();
  const c = new Controls(k.target);
  const told: number[] = [];
  c.changed = () => told.push(c.input(0).Thrust);
  k.down("ArrowUp");
  k.down("ArrowUp", { repeat: true });
  k.down("KeyR");
  k.up("ArrowUp");
  k.up("ArrowUp");
  assert.deepEqual(told, [FULL, 0]);
});

test("a repeated key is no new tap", () => {
  const k = keyboard();
  const c = new Controls(k.target);
  k.down("Space");
  c.input(0);
  assert.equal(k.down("Space", { repeat: true }), true);
  k.up("Space");
  assert.equal(c.input(0).Fire, false);
});

test("leaving the window lets go of all keys", () => {
  const k = keyboard();
  const c = new Controls(k.target);
  k.down("ArrowUp");
  k.down("Space");
  c.touchFire = true;
  k.blur();
  assert.deepEqual(c.input(0), { Turn: 0, Thrust: 0, Fire: false });
});

test("closed controls hear nothing", () => {
  const k = keyboard();
  const c = new Controls(k.target);
  c.close();
  assert.equal(k.down("ArrowUp"), false);
  assert.equal(c.input(0).Thrust, 0);
});

test("a stick turns the ship to where it points and thrusts when it looks there", () => {
  assert.deepEqual(steer({ x: 0.05, y: 0 }, 1), { Turn: 0, Thrust: 0 });
  assert.deepEqual(steer({ x: 1, y: 0 }, 0), { Turn: 0, Thrust: FULL });
  assert.deepEqual(steer({ x: 0, y: 1 }, 0), { Turn: FULL, Thrust: 0 });
  assert.deepEqual(steer({ x: 0, y: -1 }, 0), { Turn: -FULL, Thrust: 0 });
  assert.deepEqual(steer({ x: 0.4, y: 0 }, 0), { Turn: 0, Thrust: 0 });
  const near = steer({ x: 1, y: 0.1 }, 2 * Math.PI);
  assert.ok(near.Turn > 0 && near.Turn < FULL / 2 && near.Thrust === FULL, JSON.stringify(near));
});

test("keys go before the stick", () => {
  const k = keyboard();
  const c = new Controls(k.target);
  c.push = { x: 0, y: 1 };
  assert.equal(c.input(0).Turn, FULL);
  k.down("ArrowLeft");
  assert.equal(c.input(0).Turn, -FULL);
});
