// What flashes and is gone: sparks, rings, shards of hulls, light. All of it is decoration; the game's state has none.

import { hull } from "../colours.ts";
import { glow } from "./bullets.ts";
import { look, tint } from "./look.ts";

interface Spark {
  x: number;
  y: number;
  vx: number;
  vy: number;
  age: number;
  life: number;
  size: number;
  tint: string;
}

interface Ring {
  x: number;
  y: number;
  age: number;
  life: number;
  from: number;
  to: number;
  width: number;
  tint: string;
}

interface Shard extends Spark {
  angle: number;
  spin: number;
  long: number;
}

interface Light {
  x: number;
  y: number;
  age: number;
  life: number;
  size: number;
  tint: string;
}

const MOST_SPARKS = 700;

export class Effects {
  /** Fewer of everything, for who asked for less motion. */
  calm = false;
  #sparks: Spark[] = [];
  #rings: Ring[] = [];
  #shards: Shard[] = [];
  #lights: Light[] = [];

  clear(): void {
    this.#sparks = [];
    this.#rings = [];
    this.#shards = [];
    this.#lights = [];
  }

  /** A flash at a muzzle. */
  shot(x: number, y: number, dx: number, dy: number, seat: number): void {
    this.#light(x, y, 22, 0.09, tint(seat));
    this.#burst(x, y, 3, tint(seat), { angle: Math.atan2(dy, dx), spread: 0.7, speed: 130, life: 0.16, size: 1 });
  }

  /** A bullet that ends, at a wall or a ship or in the void. */
  gone(x: number, y: number, dx: number, dy: number, seat: number): void {
    this.#burst(x, y, 5, tint(seat), { angle: Math.atan2(-dy, -dx), spread: 1.6, speed: 90, life: 0.28, size: 1.1 });
  }

  /** A ship that was hurt. */
  hit(x: number, y: number, seat: number): void {
    this.#light(x, y, 46, 0.16, look().bright);
    this.#ring(x, y, 6, 26, 0.25, 1.6, tint(seat));
    this.#burst(x, y, 14, look().spark, { angle: 0, spread: 2 * Math.PI, speed: 170, life: 0.4, size: 1.4 });
    this.#burst(x, y, 8, tint(seat), { angle: 0, spread: 2 * Math.PI, speed: 120, life: 0.5, size: 1.6 });
  }

  /** A ship that is destroyed: light, two rings, sparks, and its hull in pieces. */
  explode(x: number, y: number, angle: number, seat: number): void {
    const hex = tint(seat);
    const { spark, ember, bright } = look();
    this.#light(x, y, 150, 0.45, spark);
    this.#light(x, y, 230, 0.7, hex);
    this.#ring(x, y, 8, 74, 0.6, 3, bright);
    this.#ring(x, y, 4, 118, 0.95, 1.6, hex);
    this.#burst(x, y, 34, ember, { angle: 0, spread: 2 * Math.PI, speed: 260, life: 0.85, size: 1.8 });
    this.#burst(x, y, 26, hex, { angle: 0, spread: 2 * Math.PI, speed: 150, life: 1.2, size: 2.1 });
    this.#pieces(x, y, angle, seat);
  }

  /** A ship that comes into play. */
  arrive(x: number, y: number, seat: number): void {
    this.#ring(x, y, 70, 14, 0.45, 1.6, tint(seat));
    this.#light(x, y, 90, 0.4, tint(seat));
  }

  /** A little of an engine's fire, left behind. */
  exhaust(x: number, y: number, angle: number): void {
    if (this.calm) return;
    const back = angle + Math.PI + (Math.random() - 0.5) * 0.5;
    const speed = 60 + 60 * Math.random();
    this.#spark({
      x: x - 11 * Math.cos(angle), y: y - 11 * Math.sin(angle), vx: speed * Math.cos(back), vy: speed * Math.sin(back),
      age: 0, life: 0.25 + 0.25 * Math.random(), size: 1.3, tint: Math.random() < 0.5 ? "#ff9a4a" : look().ember,
    });
  }

  advance(dt: number): void {
    const slow = Math.exp(-dt * 2.6);
    for (const list of [this.#sparks, this.#shards]) {
      for (const p of list) {
        p.age += dt;
        p.x += p.vx * dt;
        p.y += p.vy * dt;
        p.vx *= slow;
        p.vy *= slow;
      }
    }
    for (const s of this.#shards) s.angle += s.spin * dt;
    for (const r of this.#rings) r.age += dt;
    for (const l of this.#lights) l.age += dt;
    const alive = (p: { age: number; life: number }) => p.age < p.life;
    this.#sparks = this.#sparks.filter(alive);
    this.#shards = this.#shards.filter(alive);
    this.#rings = this.#rings.filter(alive);
    this.#lights = this.#lights.filter(alive);
  }

  /** Draws in units. */
  draw(ctx: CanvasRenderingContext2D): void {
    ctx.save();
    ctx.globalCompositeOperation = look().light;
    ctx.lineCap = "round";
    for (const l of this.#lights) {
      ctx.globalAlpha = (1 - l.age / l.life) ** 2;
      ctx.drawImage(glow(l.tint), l.x - l.size / 2, l.y - l.size / 2, l.size, l.size);
    }
    for (const r of this.#rings) {
      const part = 1 - (1 - r.age / r.life) ** 3; // fast, then slower
      ctx.globalAlpha = 1 - r.age / r.life;
      ctx.strokeStyle = r.tint;
      ctx.lineWidth = r.width * (1 - 0.6 * part);
      ctx.beginPath();
      ctx.arc(r.x, r.y, r.from + (r.to - r.from) * part, 0, 7);
      ctx.stroke();
    }
    for (const s of this.#sparks) {
      ctx.globalAlpha = 1 - s.age / s.life;
      ctx.strokeStyle = s.tint;
      ctx.lineWidth = s.size;
      ctx.beginPath();
      ctx.moveTo(s.x - s.vx * 0.035, s.y - s.vy * 0.035);
      ctx.lineTo(s.x, s.y);
      ctx.stroke();
    }
    for (const s of this.#shards) {
      ctx.globalAlpha = 1 - (s.age / s.life) ** 2;
      ctx.strokeStyle = s.tint;
      ctx.lineWidth = s.size;
      const [x, y] = [(Math.cos(s.angle) * s.long) / 2, (Math.sin(s.angle) * s.long) / 2];
      ctx.beginPath();
      ctx.moveTo(s.x - x, s.y - y);
      ctx.lineTo(s.x + x, s.y + y);
      ctx.stroke();
    }
    ctx.restore();
  }

  #burst(x: number, y: number, count: number, hex: string, o: { angle: number; spread: number; speed: number; life: number; size: number }): void {
    for (let i = 0; i < (this.calm ? count / 3 : count); i++) {
      const angle = o.angle + (Math.random() - 0.5) * o.spread;
      const speed = o.speed * (0.25 + Math.random());
      this.#spark({
        x, y, vx: speed * Math.cos(angle), vy: speed * Math.sin(angle), age: 0, life: o.life * (0.5 + 0.7 * Math.random()),
        size: o.size * (0.7 + 0.5 * Math.random()), tint: hex,
      });
    }
  }

  #spark(spark: Spark): void {
    if (this.#sparks.length < MOST_SPARKS) this.#sparks.push(spark);
  }

  #ring(x: number, y: number, from: number, to: number, life: number, width: number, hex: string): void {
    this.#rings.push({ x, y, age: 0, life, from, to, width, tint: hex });
  }

  #light(x: number, y: number, size: number, life: number, hex: string): void {
    this.#lights.push({ x, y, age: 0, life, size, tint: hex });
  }

  /** Each edge of the hull flies off by itself. */
  #pieces(x: number, y: number, angle: number, seat: number): void {
    const shape = hull(seat);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    shape.forEach(([ax, ay], i) => {
      const [bx, by] = shape[(i + 1) % shape.length]!;
      const [mx, my] = [(ax + bx) / 2, (ay + by) / 2];
      const [ox, oy] = [mx * cos - my * sin, mx * sin + my * cos];
      const force = 5 + 6 * Math.random();
      this.#shards.push({
        x: x + ox, y: y + oy, vx: ox * force, vy: oy * force, age: 0, life: 1 + 0.8 * Math.random(), size: 1.8, tint: tint(seat),
        angle: angle + Math.atan2(by - ay, bx - ax), spin: (Math.random() - 0.5) * 9, long: Math.hypot(bx - ax, by - ay),
      });
    });
  }
}
