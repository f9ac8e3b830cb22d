import assert from "node:assert/strict";
import { test } from "node:test";

import { Scene, type Happening } from "./scene.ts";
import type { Bullet, Ship } from "./world.ts";

const row = (over: Partial<Ship> = {}): Ship => ({
  X: 500, Y: 500, Angle: 0, Owner: 1, Name: "Ada", HP: 100, Score: 0, Deaths: 0, Thrust: false, Shield: false, Away: false,
  Spawn: 0, Heat: 0, Jammed: false, ...over,
});
const tables = (ships: [number, Ship][], bullets: [number, Bullet][] = []) => ({ Ships: new Map(ships), Bullets: new Map(bullets) });
const near = (got: number, want: number, within = 1e-9) =>
  assert.ok(Math.abs(got - want) <= within, `${got} is not ${want} ± ${within}`);

test("ships move between the frames", () => {
  const scene = new Scene(20);
  scene.frame(10, tables([[1, row({ X: 500 })]]));
  scene.frame(11, tables([[1, row({ X: 510, Thrust: true })]]));
  const [ship] = scene.ships(10.5);
  assert.deepEqual(ship, { seat: 1, name: "Ada", x: 505, y: 500, angle: 0, hp: 100, thrust: false, shield: false, away: false });
  assert.equal(scene.ships(11)[0]!.thrust, true);
});

test("a ship is not there before its first frame, nor after its row is gone", () => {
  const scene = new Scene(20);
  scene.frame(10, tables([]));
  scene.frame(12, tables([[1, row()]]));
  scene.frame(14, tables([]));
  assert.equal(scene.ships(11).length, 0);
  assert.equal(scene.ships(12).length, 1);
  scene.happened(13.9);
  assert.equal(scene.ships(13.9).length, 1);
  scene.happened(14);
  assert.equal(scene.ships(14).length, 0);
});

test("a ship is destroyed when the playhead is there, and comes back elsewhere without flying", () => {
  const scene = new Scene(20);
  scene.frame(10, tables([[1, row({ HP: 30 })]]));
  scene.frame(11, tables([[1, row({ HP: 0 })]]));
  scene.event(11, "Kill", { Victim: 1, By: 2 });
  scene.frame(12, tables([[1, row({ X: 505, HP: 100, Shield: true })]]));
  assert.equal(scene.ships(10.9)[0]!.hp, 30);
  assert.deepEqual(scene.happened(10.9), []);
  assert.equal(scene.ships(11.5)[0]!.hp, 0);
  near(scene.ships(11.9)[0]!.x, 500);
  assert.deepEqual(scene.happened(11.5), [{ kind: "kill", victim: 1, by: 2 }]);
  assert.deepEqual(scene.happened(11.6), []);
  near(scene.ships(12)[0]!.x, 505);
});

test("events become happenings in their order; unknown ones are let go", () => {
  const scene = new Scene(20);
  scene.event(5, "Spawned", { Seat: 3 });
  scene.event(6, "Hit", { Victim: 2, By: 3 });
  scene.event(6, "Confetti", {});
  scene.event(6, "Kill", { Victim: 2, By: 3 });
  assert.deepEqual(scene.happened(7).map((h: Happening) => h.kind), ["spawn", "hit", "kill"]);
});

test("a bullet flies straight, from its birth to its end", () => {
  const scene = new Scene(20);
  const ship: [number, Ship] = [1, row({ Angle: Math.PI / 2 })];
  const at = (y: number): [number, Bullet][] => [[7, { X: 500, Y: y, Owner: 1 }]];
  scene.frame(10, tables([ship]));
  scene.frame(11, tables([ship], at(514)));
  assert.equal(scene.bullets(10.9, 9, 0).bullets.length, 0);
  near(scene.bullets(11.5, 9, 0).bullets[0]!.y, 526.5); // by its ship's nose, as one place tells no course
  scene.frame(12, tables([ship], at(539)));
  scene.frame(13, tables([ship], at(564)));
  scene.frame(14, tables([ship]));
  const { bullets } = scene.bullets(12.5, 9, 0);
  near(bullets[0]!.y, 551.5);
  near(bullets[0]!.dy, 1);
  near(bullets[0]!.flown, 37.5);
  near(scene.bullets(13.9, 9, 0).bullets[0]!.y, 586.5);
  assert.equal(scene.bullets(14, 9, 0).bullets.length, 0);
  const [gone] = scene.happened(14);
  assert.ok(gone?.kind === "gone");
  near(gone.y, 589);
});

test("a shot is told once, where it was fired", () => {
  const scene = new Scene(20);
  scene.frame(11, tables([[1, row()]], [[7, { X: 514, Y: 500, Owner: 1 }]]));
  assert.equal(scene.bullets(10.5, 9, 0).shots.length, 0);
  assert.deepEqual(scene.bullets(11.2, 9, 0).shots, [{ kind: "shot", owner: 1, x: 514, y: 500, dx: 1, dy: 0 }]);
  assert.equal(scene.bullets(11.3, 9, 0).shots.length, 0);
});

test("a bullet stops when the news stop, and never leaves the arena", () => {
  const scene = new Scene(20);
  scene.frame(11, tables([[1, row()]], [[7, { X: 514, Y: 500, Owner: 1 }]]));
  near(scene.bullets(40, 9, 0).bullets[0]!.x, 589);
  scene.frame(12, tables([[1, row()]], [[8, { X: 985, Y: 500, Owner: 1 }]]));
  near(scene.bullets(14, 9, 0).bullets[0]!.x, 1000);
});

test("own bullets leave with the own ship and fall back to everybody's time", () => {
  const scene = new Scene(20);
  const fired = (tick: number) => scene.frame(tick, tables([[1, row()]], [[7, { X: 514 + 25 * (tick - 100), Y: 500, Owner: 1 }]]));
  for (let tick = 100; tick <= 130; tick++) fired(tick);
  const x = (tick: number) => scene.bullets(tick, 1, 4).bullets[0]?.x;
  assert.equal(x(95.9), undefined);
  near(x(96)!, 514); // four ticks before the others see it
  let last = 514;
  for (let tick = 96.5; tick < 118; tick += 0.5) {
    const step = x(tick)! - last;
    assert.ok(step > 8 && step < 13, `a step of ${step} at tick ${tick}`);
    last += step;
  }
  near(x(112)!, scene.bullets(112, 9, 0).bullets[0]!.x);
});

test("a room that goes on from an earlier state takes the later one back", () => {
  const scene = new Scene(20);
  scene.frame(100, tables([[1, row({ X: 100 })]]));
  scene.event(100, "Kill", { Victim: 1, By: 2 });
  scene.frame(90, tables([[1, row({ X: 90 })]]));
  assert.deepEqual(scene.happened(200), []);
  near(scene.ships(95)[0]!.x, 90);
});
