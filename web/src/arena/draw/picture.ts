// The picture: sky, ships, bullets and effects, seen by a camera. It is given what to draw and remembers only what
// fades.

import type { BulletView, Happening, ShipView } from "../scene.ts";
import { drawBullets } from "./bullets.ts";
import { Camera } from "./camera.ts";
import { Effects } from "./effects.ts";
import { Marks } from "./marks.ts";
import { drawPointers } from "./pointers.ts";
import { drawLabel, drawShip, type ShipMood } from "./ships.ts";
import { Sky } from "./sky.ts";
import { Trails } from "./trails.ts";

/** One moment to draw. Times are in ms. */
export interface Moment {
  now: number;
  ships: ShipView[];
  bullets: BulletView[];
  happenings: Happening[];
  /** Whose ship the camera follows; 0 for nobody's. */
  own: number;
  /** Who has the most points alone; 0 for nobody. */
  leader: number;
  labels: boolean;
}

/** Ratios above this look the same and cost more. */
const MOST_RATIO = 2;
const FLASH = 180; // ms
const ARRIVAL = 350; // ms
const LEAP = 40; // units from one picture to the next that no ship can fly

export class Picture {
  readonly camera = new Camera();
  readonly effects = new Effects();
  readonly #marks = new Marks();
  readonly #trails = new Trails();
  readonly #canvas: HTMLCanvasElement;
  readonly #edge: HTMLElement | undefined;
  readonly #ctx: CanvasRenderingContext2D;
  readonly #sky = new Sky();
  readonly #hitAt = new Map<number, number>();
  readonly #cameAt = new Map<number, number>();
  readonly #calm: MediaQueryList;
  #ratio = 1;
  #resized = true;
  #last = 0;
  #hurt = 0; // 1 when the own ship was just hit, falling to 0
  #shown: Map<number, ShipView> = new Map();
  #me: ShipView | undefined;
  #followed: { x: number; y: number } | undefined;
  #glide = { x: 0, y: 0 };

  /** Draws on a canvas; edge is what reddens the edges, by its opacity. */
  constructor(canvas: HTMLCanvasElement, edge?: HTMLElement) {
    this.#canvas = canvas;
    this.#edge = edge;
    this.#ctx = canvas.getContext("2d", { alpha: false })!;
    this.#calm = matchMedia("(prefers-reduced-motion: reduce)");
    // To ask for the size lays the page out, so it is not asked for each picture.
    new ResizeObserver(() => (this.#resized = true)).observe(canvas);
    addEventListener("resize", () => (this.#resized = true)); // zooming changes the pixels alone
  }

  /** Says whether its user asked for less motion. */
  get calm(): boolean {
    return this.#calm.matches;
  }

  get ratio(): number {
    return this.#ratio;
  }

  /** Forgets what fades, before another room. */
  clear(): void {
    this.effects.clear();
    this.#marks.clear();
    this.#trails.clear();
    this.#hitAt.clear();
    this.#cameAt.clear();
    this.#hurt = 0;
    this.#followed = undefined;
    this.#glide = { x: 0, y: 0 };
  }

  draw(m: Moment): void {
    const dt = Math.min(0.1, Math.max(0, (m.now - this.#last) / 1000));
    this.#last = m.now;
    this.#fit();
    this.effects.calm = this.calm;
    this.#shown = new Map(m.ships.map((s) => [s.seat, s]));
    this.#me = this.#shown.get(m.own);
    for (const h of m.happenings) this.#happen(h, m.now, m.own);
    this.#follow(m, dt);
    for (const s of m.ships) {
      if (s.thrust && s.hp > 0 && this.camera.sees(s.x, s.y, 40) && Math.random() < dt * 45) this.effects.exhaust(s.x, s.y, s.angle);
    }
    if (!this.calm) this.#trails.advance(m.ships, m.now, this.camera);
    this.effects.advance(dt);
    this.camera.advance(dt, m.now);
    this.#hurt = Math.max(0, this.#hurt - dt * 2.2);
    this.#paint(m);
  }

  /** Makes the canvas as fine as the screen is. */
  #fit(): void {
    if (!this.#resized) return;
    this.#resized = false;
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    this.#ratio = Math.min(MOST_RATIO, devicePixelRatio || 1);
    const [w, h] = [Math.round(width * this.#ratio), Math.round(height * this.#ratio)];
    if (this.#canvas.width !== w || this.#canvas.height !== h) {
      this.#canvas.width = w;
      this.#canvas.height = h;
    }
    this.camera.resize(width, height);
  }

  #happen(h: Happening, now: number, own: number): void {
    switch (h.kind) {
      case "shot":
        if (this.camera.sees(h.x, h.y, 60)) this.effects.shot(h.x, h.y, h.dx, h.dy, h.owner);
        return;
      case "gone":
        if (this.camera.sees(h.x, h.y, 60)) this.effects.gone(h.x, h.y, h.dx, h.dy, h.owner);
        return;
      case "spawn":
        this.#cameAt.set(h.seat, now);
        this.#hitAt.delete(h.seat);
        this.#at(h.seat, (s) => this.effects.arrive(s.x, s.y, h.seat));
        return;
      case "hit":
        this.#hitAt.set(h.victim, now);
        this.#at(h.victim, (s) => {
          this.effects.hit(s.x, s.y, h.victim);
          if (h.by === own && h.victim !== own) this.#marks.hit(s.x, s.y, false, now);
        });
        if (h.victim === own) this.#harmed(h.by, now);
        return;
      case "kill":
        this.#at(h.victim, (s) => {
          this.effects.explode(s.x, s.y, s.angle, h.victim);
          const far = Math.hypot(s.x - this.camera.x, s.y - this.camera.y);
          if (!this.calm) this.camera.shake(0.45 - far / 1400);
          if (h.by === own && h.victim !== own) this.#marks.hit(s.x, s.y, true, now);
        });
        if (h.victim === own) this.#jolt(0.8);
        return;
    }
  }

  /** The own ship was hit: the window jolts, and shows from where it came. */
  #harmed(by: number, now: number): void {
    this.#jolt(0.5);
    const [me, from] = [this.#me, this.#shown.get(by)];
    if (me && from) this.#marks.harm(Math.atan2(from.y - me.y, from.x - me.x), by, now);
  }

  /** Effects belong where a ship is drawn, not where the server had it; what is far away needs none. */
  #at(seat: number, then: (ship: ShipView) => void): void {
    const ship = this.#shown.get(seat);
    if (ship && this.camera.sees(ship.x, ship.y, 250)) then(ship);
  }

  #jolt(force: number): void {
    this.#hurt = Math.max(this.#hurt, force);
    if (!this.calm) this.camera.shake(force);
  }

  /** The camera is on the own ship, without a lag that would blur it; when the ship is put elsewhere, it glides there. */
  #follow(m: Moment, dt: number): void {
    const me = this.#shown.get(m.own);
    if (!me) return;
    const { camera } = this;
    const leapt = this.#followed && Math.hypot(me.x - this.#followed.x, me.y - this.#followed.y) > LEAP;
    if (leapt && !this.calm) this.#glide = { x: camera.x - me.x, y: camera.y - me.y };
    const left = Math.exp(-dt * 5);
    this.#glide = { x: this.#glide.x * left, y: this.#glide.y * left };
    this.#followed = { x: me.x, y: me.y };
    camera.look(me.x + this.#glide.x, me.y + this.#glide.y);
  }

  #paint(m: Moment): void {
    const ctx = this.#ctx;
    const { camera } = this;
    this.#sky.draw(ctx, camera, this.#ratio, this.calm);
    const alive = m.ships.filter((s) => s.hp > 0 && camera.sees(s.x, s.y, 60));
    if (!this.calm) this.#trails.draw(ctx, alive, camera);
    drawBullets(ctx, m.bullets, camera);
    const moods = new Map(alive.map((s) => [s.seat, this.#mood(s, m)]));
    // The own ship is drawn last, above the others.
    alive.sort((a, b) => Number(a.seat === m.own) - Number(b.seat === m.own));
    const pixels = camera.scale * this.#ratio;
    for (const s of alive) drawShip(ctx, s, moods.get(s.seat)!, m.now, this.calm, pixels);
    this.effects.draw(ctx);
    ctx.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    if (m.labels) for (const s of alive) drawLabel(ctx, s, moods.get(s.seat)!, camera);
    if (m.own) drawPointers(ctx, m.ships, m.own, camera);
    this.#marks.draw(ctx, camera, m.now, this.#me?.hp ? this.#me : undefined, this.calm);
    this.#redden();
  }

  #mood(s: ShipView, m: Moment): ShipMood {
    const since = (at: number | undefined) => m.now - (at ?? Number.NEGATIVE_INFINITY);
    return {
      own: s.seat === m.own,
      leader: s.seat === m.leader,
      flash: Math.max(0, 1 - since(this.#hitAt.get(s.seat)) / FLASH),
      arrived: this.calm ? 1 : Math.min(1, since(this.#cameAt.get(s.seat)) / ARRIVAL),
    };
  }

  /** The edges of the window redden when the own ship is hurt. The page does it: full-size gradients are dear here. */
  #redden(): void {
    const strength = this.#hurt.toFixed(2);
    if (this.#edge && this.#edge.style.opacity !== strength) this.#edge.style.opacity = strength;
  }
}
