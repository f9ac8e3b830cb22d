// The moving picture behind words: a skirmish, drawn by what draws the game.

import { between, copy, type Rows } from "./between.ts";
import type { Picture } from "./draw/picture.ts";
import { Scene, type ShipView } from "./scene.ts";
import { Skirmish } from "./skirmish.ts";

const RATE = 20;
const SEATS = 11;
const WARM = 24; // ticks before a still
const LONGEST = 90; // ticks in which a good moment for one is looked for
const CROWDED = 4; // ships in the picture make one
const ZOOM = 0.8;

export class Attract {
  readonly #picture: Picture;
  readonly #skirmish = new Skirmish(Array.from({ length: SEATS }, () => ""));
  readonly #scene = new Scene(RATE);
  #before: Rows = { Ships: new Map(), Bullets: new Map() }; // the tick before the skirmish's
  #frame = 0;
  #start = 0;
  #tick = 0; // that is shown
  #frozenAt = 0; // ticks of the still's own time
  #seen = 0; // ships in the half of the picture that no words cover
  #killed = 0; // the tick of the last kill
  #warm = false; // something has flown and burst
  readonly #at = { x: 333, y: 500 };

  constructor(picture: Picture) {
    this.#picture = picture;
    for (let i = 0; i < 70; i++) this.#step(); // begin in the middle of it
    this.#tick = this.#skirmish.tick - 1;
  }

  /** Plays until stop is called. Who asked for less motion gets a still. */
  start(): void {
    if (this.#frame !== 0) return;
    this.#warm = true;
    this.#picture.clear();
    this.#start = performance.now() - (this.#tick / RATE) * 1000;
    this.#draw(performance.now());
  }

  /** Stops, and leaves the picture as it is. */
  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  /** Stands still, but is painted: in the middle of a fight, not before it. */
  freeze(): void {
    this.stop();
    if (!this.#warm) {
      this.#warm = true;
      for (let i = 0; i < WARM || (i < LONGEST && !this.#good()); i++) this.#paint((++this.#frozenAt * 1000) / RATE, 1, (this.#tick += 1));
    }
    this.#paint((this.#frozenAt * 1000) / RATE, 1);
  }

  /** Paints a picture that stands still anew: in another size, or another look. */
  redraw(): void {
    if (this.#frame === 0) this.#paint(performance.now(), 1);
  }

  #draw(now: number): void {
    this.#frame = requestAnimationFrame((at) => this.#draw(at));
    const { calm } = this.#picture;
    let tick = calm ? this.#tick : ((now - this.#start) / 1000) * RATE;
    if (tick > this.#skirmish.tick + RATE) {
      this.#start += ((tick - this.#skirmish.tick) / RATE) * 1000; // the tab was hidden
      tick = this.#skirmish.tick;
    }
    this.#tick = tick;
    this.#paint(now, calm ? 1 : 0.012);
  }

  #paint(now: number, part: number, tick = this.#tick): void {
    while (this.#skirmish.tick <= tick) this.#step();
    const { tick: newest, ships: Ships, bullets: Bullets } = this.#skirmish;
    const rows = between(this.#before, { Ships, Bullets }, tick + 1 - newest);
    const { ships, bullets, happenings } = this.#scene.show({ tick, ...rows }, 0);
    this.#aim(ships, part);
    const { camera } = this.#picture;
    camera.zoom = ZOOM;
    camera.look(this.#at.x, this.#at.y);
    this.#seen = ships.filter((s) => s.hp > 0 && s.x > camera.x && camera.sees(s.x, s.y, -30)).length;
    if (happenings.some((h) => h.kind === "kill")) this.#killed = tick;
    this.#picture.draw({ now, ships, bullets, happenings, own: 0, leader: 0, labels: false });
  }

  /** Whether this moment is worth to stand still: in a crowd, just after somebody burst. */
  #good(): boolean {
    const since = this.#tick - this.#killed;
    return this.#seen >= CROWDED && since >= 3 && since <= 8;
  }

  /** Brings the middle of the fight, by some part of the way, to where the words do not cover it. */
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
    const { ships: Ships, bullets: Bullets } = this.#skirmish;
    this.#before = copy({ Ships, Bullets });
    for (const e of this.#skirmish.step()) this.#scene.event(this.#skirmish.tick, e.name, e.fields, 0);
  }
}
