// The moving picture behind the join form: a skirmish, drawn by what draws the game.

import { Scene, type Happening, type ShipView } from "./scene.ts";
import { Skirmish } from "./skirmish.ts";
import { SIZE } from "./world.ts";
import type { Picture } from "./draw/picture.ts";

const RATE = 20;

export class Attract {
  readonly #picture: Picture;
  readonly #skirmish = new Skirmish(["", "", "", "", "", ""]);
  readonly #scene = new Scene(RATE);
  #frame = 0;
  #start = 0;
  readonly #at = { x: SIZE / 3, y: SIZE / 2 };

  constructor(picture: Picture) {
    this.#picture = picture;
    for (let i = 0; i < 60; i++) this.#step(); // begin in the middle of it
    this.#scene.happened(this.#skirmish.tick);
  }

  /** Plays until stop is called. Who asked for less motion gets a still. */
  start(): void {
    this.stop();
    this.#picture.clear();
    this.#start = performance.now() - (this.#skirmish.tick / RATE) * 1000;
    this.#draw(performance.now());
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
  }

  #draw(now: number): void {
    this.#frame = requestAnimationFrame((at) => this.#draw(at));
    const calm = this.#picture.calm;
    let tick = calm ? this.#skirmish.tick - 1 : ((now - this.#start) / 1000) * RATE;
    if (tick > this.#skirmish.tick + RATE) {
      this.#start += ((tick - this.#skirmish.tick) / RATE) * 1000; // the tab was hidden
      tick = this.#skirmish.tick;
    }
    while (!calm && this.#skirmish.tick < tick + 1) this.#step();
    const { bullets, shots } = this.#scene.bullets(tick, 0, 0);
    const happenings: Happening[] = [...this.#scene.happened(tick), ...shots];
    const { camera } = this.#picture;
    const ships = this.#scene.ships(tick);
    this.#aim(ships, calm ? 1 : 0.012);
    camera.look(this.#at.x, this.#at.y);
    this.#picture.draw({ now, ships, bullets, happenings, own: 0, leader: 0, labels: false });
  }

  /** Brings the middle of the fight, by some part of the way, to where the form does not cover it. */
  #aim(ships: ShipView[], part: number): void {
    const { camera } = this.#picture;
    const alive = ships.filter((s) => s.hp > 0);
    const mean = (axis: "x" | "y") => alive.reduce((sum, s) => sum + s[axis], 0) / alive.length;
    if (alive.length === 0) return;
    const upright = camera.width < camera.height;
    this.#at.x += (mean("x") - (upright ? 0 : 0.42 * camera.halfWidth) - this.#at.x) * part;
    this.#at.y += (mean("y") + (upright ? 0.5 * camera.halfHeight : 0) - this.#at.y) * part;
  }

  #step(): void {
    for (const e of this.#skirmish.step()) this.#scene.event(this.#skirmish.tick, e.name, e.fields);
    this.#scene.frame(this.#skirmish.tick, { Ships: this.#skirmish.ships, Bullets: this.#skirmish.bullets });
  }
}
