// The picture: sky, ships, bullets and effects, seen by a camera. It is given what to draw and remembers only what
// fades.

import { colour, faint } from "../colours.ts";
import type { BulletView, Happening, ShipView } from "../scene.ts";
import { drawBullets } from "./bullets.ts";
import { Camera } from "./camera.ts";
import { Effects } from "./effects.ts";
import { drawLabel, drawShip, type ShipMood } from "./ships.ts";
import { Sky } from "./sky.ts";

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
  readonly #canvas: HTMLCanvasElement;
  readonly #edge: HTMLElement;
  readonly #ctx: CanvasRenderingContext2D;
  readonly #sky = new Sky();
  readonly #hitAt = new Map<number, number>();
  readonly #cameAt = new Map<number, number>();
  readonly #calm: MediaQueryList;
  #ratio = 1;
  #last = 0;
  #hurt = 0; // 1 when the own ship was just hit, falling to 0
  #shown: Map<number, ShipView> = new Map();
  #followed: { x: number; y: number } | undefined;
  #glide = { x: 0, y: 0 };

  /** Draws on a canvas; edge is what reddens the edges, by its opacity. */
  constructor(canvas: HTMLCanvasElement, edge: HTMLElement) {
    this.#canvas = canvas;
    this.#edge = edge;
    this.#ctx = canvas.getContext("2d", { alpha: false })!;
    this.#calm = matchMedia("(prefers-reduced-motion: reduce)");
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
    for (const h of m.happenings) this.#happen(h, m.now, m.own);
    this.#follow(m, dt);
    for (const s of m.ships) if (s.thrust && s.hp > 0 && Math.random() < dt * 45) this.effects.exhaust(s.x, s.y, s.angle);
    this.effects.advance(dt);
    this.camera.advance(dt, m.now);
    this.#hurt = Math.max(0, this.#hurt - dt * 2.2);
    this.#paint(m);
  }

  /** Makes the canvas as fine as the screen is. */
  #fit(): void {
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
        this.effects.shot(h.x, h.y, h.dx, h.dy, h.owner);
        return;
      case "gone":
        this.effects.gone(h.x, h.y, h.dx, h.dy, h.owner);
        return;
      case "spawn":
        this.#cameAt.set(h.seat, now);
        this.#hitAt.delete(h.seat);
        this.#at(h.seat, (s) => this.effects.arrive(s.x, s.y, h.seat));
        return;
      case "hit":
        this.#hitAt.set(h.victim, now);
        this.#at(h.victim, (s) => this.effects.hit(s.x, s.y, h.victim));
        if (h.victim === own) this.#jolt(0.5);
        return;
      case "kill":
        this.#at(h.victim, (s) => {
          this.effects.explode(s.x, s.y, s.angle, h.victim);
          const far = Math.hypot(s.x - this.camera.x, s.y - this.camera.y);
          if (!this.calm) this.camera.shake(Math.max(0, 0.45 - far / 1400));
        });
        if (h.victim === own) this.#jolt(0.8);
        return;
    }
  }

  /** Effects belong where a ship is drawn, not where the server had it. */
  #at(seat: number, then: (ship: ShipView) => void): void {
    const ship = this.#shown.get(seat);
    if (ship) then(ship);
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
    this.#sky.draw(ctx, this.camera, this.#ratio, this.calm);
    drawBullets(ctx, m.bullets);
    const alive = m.ships.filter((s) => s.hp > 0);
    const moods = new Map(alive.map((s) => [s.seat, this.#mood(s, m)]));
    // The own ship is drawn last, above the others.
    alive.sort((a, b) => Number(a.seat === m.own) - Number(b.seat === m.own));
    for (const s of alive) if (this.camera.sees(s.x, s.y, 60)) drawShip(ctx, s, moods.get(s.seat)!, m.now, this.calm);
    this.effects.draw(ctx);
    ctx.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    if (m.labels) for (const s of alive) if (this.camera.sees(s.x, s.y, 60)) drawLabel(ctx, s, moods.get(s.seat)!, this.camera);
    if (m.own) for (const s of alive) if (s.seat !== m.own && !this.camera.sees(s.x, s.y, 4)) this.#point(s);
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

  /** A small arrow at the edge of the window that says where a ship is beyond it. */
  #point(s: ShipView): void {
    const { camera } = this;
    const [dx, dy] = [s.x - camera.x, s.y - camera.y];
    const inset = 16;
    const part = Math.min(
      (camera.width / 2 - inset) / Math.max(1e-6, Math.abs(dx) * camera.scale),
      (camera.height / 2 - inset) / Math.max(1e-6, Math.abs(dy) * camera.scale),
    );
    const ctx = this.#ctx;
    ctx.save();
    ctx.translate(camera.width / 2 + dx * camera.scale * part, camera.height / 2 + dy * camera.scale * part);
    ctx.rotate(Math.atan2(dy, dx));
    ctx.fillStyle = faint(colour(s.seat), s.away ? 0.3 : Math.max(0.35, 0.95 - Math.hypot(dx, dy) / 1200));
    ctx.beginPath();
    ctx.moveTo(7, 0);
    ctx.lineTo(-4, 5);
    ctx.lineTo(-1.5, 0);
    ctx.lineTo(-4, -5);
    ctx.fill();
    ctx.restore();
  }

  /** The edges of the window redden when the own ship is hurt. The page does it: full-size gradients are dear here. */
  #redden(): void {
    const strength = this.#hurt.toFixed(2);
    if (this.#edge.style.opacity !== strength) this.#edge.style.opacity = strength;
  }
}
