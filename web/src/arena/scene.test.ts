import assert from "node:assert/strict";
import { test } from "node:test";

import { Scene, type ShownRows } from "./scene.ts";
import type { Bullet, Ship } from "./world.ts";

const OWN = 9;
const row = (over: Partial<Ship> = {}): Ship => ({
  X: 500, Y: 500, Angle: 0, Owner: 1, Name: "Ada", HP: 100, Score: 0, Deaths: 0, Thrust: false, Shield: false, Away: false,
  Spawn: 0, Heat: 0, Jammed: false, ...over,
});
const rows = (tick: number, ships: [number, Ship][], bullets: [number, Bullet][] = []): ShownRows => ({
  tick, Ships: new Map(ships), Bullets: new Map(bullets),
});
const near = (got: number, want: number, within = 1e-9) =>
  assert.ok(Math.abs(got - want) <= within, `${got} is not ${want} ± ${within}`);

test("a ship is drawn as its row says", () => {
  const { ships } = new Scene(20).show(rows(10, [[1, row({ X: 505, Thrust: true })]]), OWN);
  assert.deepEqual(ships, [{ seat: 1, name: "Ada", x: 505, y: 500, angle: 0, hp: 100, thrust: true, shield: false, away: false }]);
});

test("what happens between others is shown when the picture is there, once", () => {
  const scene = new Scene(20);
  scene.event(11, "Kill", { Victim: 1, By: 2 }, OWN);
  assert.deepEqual(scene.show(rows(10.9, [[1, row()]]), OWN).happenings, []);
  assert.deepEqual(scene.show(rows(11.2, [[1, row({ HP: 0 })]]), OWN).happenings, [{ kind: "kill", victim: 1, by: 2 }]);
  assert.deepEqual(scene.show(rows(11.3, [[1, row({ HP: 0 })]]), OWN).happenings, []);
});

test("what the own seat does or suffers is shown at once, and the victim is not drawn until its row says so, too", () => {
  const scene = new Scene(20);
  scene.event(20, "Hit", { Victim: 1, By: OWN }, OWN);
  scene.event(20, "Kill", { Victim: 1, By: OWN }, OWN);
  const first = scene.show(rows(17, [[1, row({ HP: 30 })]]), OWN);
  assert.deepEqual(first.happenings.map((h) => h.kind), ["hit", "kill"]);
  assert.equal(first.ships[0]!.hp, 0);
  assert.equal(scene.show(rows(19.9, [[1, row({ HP: 30 })]]), OWN).ships[0]!.hp, 0);
  assert.equal(scene.show(rows(20, [[1, row({ HP: 0 })]]), OWN).ships[0]!.hp, 0);
  assert.equal(scene.show(rows(60, [[1, row({ HP: 100 })]]), OWN).ships[0]!.hp, 100);
});

test("unknown events are let go", () => {
  const scene = new Scene(20);
  scene.event(6, "Confetti", {}, OWN);
  scene.event(6, "Spawned", { Seat: 3 }, OWN);
  assert.deepEqual(scene.show(rows(7, []), OWN).happenings, [{ kind: "spawn", seat: 3 }]);
});

test("a shot is told once, by its ship's nose, and its end where it was seen last", () => {
  const scene = new Scene(20);
  const ship: [number, Ship] = [1, row({ Angle: Math.PI / 2 })];
  const at = (tick: number) => scene.show(rows(tick, [ship], [[7, { X: 500, Y: 514 + 25 * (tick - 11), Owner: 1 }]]), OWN);
  const first = at(11);
  const [shot] = first.happenings;
  assert.ok(shot?.kind === "shot");
  near(shot.dy, 1);
  near(first.bullets[0]!.flown, 0);
  assert.deepEqual(at(11.5).happenings, []);
  const later = at(12.5);
  near(later.bullets[0]!.y, 551.5);
  near(later.bullets[0]!.flown, 37.5);
  const [gone] = scene.show(rows(13, [ship]), OWN).happenings;
  assert.ok(gone?.kind === "gone");
  near(gone.y, 551.5);
});

test("a bullet whose row stands still in its last tick flies on for that time, and no longer", () => {
  const scene = new Scene(20);
  const at = (tick: number, x: number) => scene.show(rows(tick, [], [[7, { X: x, Y: 500, Owner: 1 }]]), OWN).bullets[0]!.x;
  at(11, 500);
  near(at(12, 525), 525);
  near(at(12.5, 525), 537.5);
  near(at(13, 525), 550);
  near(at(20, 525), 562.5);
});

test("the server's row takes an own bullet over without another shot; another's is another shot", () => {
  for (const [owner, kinds] of [[OWN, []], [1, ["shot", "gone"]]] as const) {
    const scene = new Scene(20);
    scene.show(rows(11, [], [[-1, { X: 500, Y: 500, Owner: owner }]]), OWN);
    const { bullets, happenings } = scene.show(rows(11.4, [], [[70, { X: 510, Y: 500, Owner: owner }]]), OWN);
    assert.deepEqual(happenings.map((h) => h.kind), kinds);
    assert.equal(bullets.length, 1);
  }
});

test("an own bullet that did not come true is gone, and the next one is a shot of its own", () => {
  const scene = new Scene(20);
  scene.show(rows(11, [], [[-1, { X: 500, Y: 500, Owner: OWN }]]), OWN);
  assert.deepEqual(scene.show(rows(11.4, []), OWN).happenings.map((h) => h.kind), ["gone"]);
  assert.deepEqual(scene.show(rows(11.5, [], [[-2, { X: 500, Y: 500, Owner: OWN }]]), OWN).happenings.map((h) => h.kind), ["shot"]);
});

test("a room that goes on from an earlier state takes the later one back", () => {
  const scene = new Scene(20);
  scene.show(rows(100, [[1, row()]], [[7, { X: 1, Y: 1, Owner: 1 }]]), OWN);
  scene.event(101, "Kill", { Victim: 1, By: 2 }, OWN);
  assert.deepEqual(scene.show(rows(90, [[1, row()]]), OWN).happenings, []);
  assert.deepEqual(scene.show(rows(200, [[1, row()]]), OWN).happenings, []);
});
