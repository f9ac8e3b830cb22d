// The fading ribbons behind ships: where they have just been tells where they will be.

import { faint } from "../colours.ts";
import type { ShipView } from "../scene.ts";
import type { Camera } from "./camera.ts";
import { look, tint } from "./look.ts";

const EVERY = 28; // ms between two points
const POINTS = 16;
const LEAP = 60; // units that no ship flies between two points: it was put elsewhere
const SLOW = 1.2; // units between two points below which a ship leaves no trail

interface Trail {
  at: number; // of the newest point
  seen: number;
  points: { x: number; y: number }[]; // the newest first
}

export class Trails {
  readonly #trails = new Map<number, Trail>();

  clear(): void {
    this.#trails.clear();
  }

  /** Takes where the ships are now, those that the camera sees. */
  advance(ships: readonly ShipView[], now: number, camera: Camera): void {
    for (const s of ships) {
      if (s.hp === 0 || !camera.sees(s.x, s.y, 120)) continue;
      let t = this.#trails.get(s.seat);
      const last = t?.points[0];
      if (!t || !last || now - t.seen > 250 || Math.hypot(s.x - last.x, s.y - last.y) > LEAP) {
        t = { at: now, seen: now, points: [{ x: s.x, y: s.y }] };
        this.#trails.set(s.seat, t);
      }
      t.seen = now;
      if (now - t.at < EVERY) continue;
      t.at = now;
      t.points.unshift({ x: s.x, y: s.y });
      if (t.points.length > POINTS) t.points.pop();
    }
    for (const [seat, t] of this.#trails) if (now - t.seen > 600) this.#trails.delete(seat);
  }

  /** Draws the trails of ships, in units. */
  draw(ctx: CanvasRenderingContext2D, ships: readonly ShipView[], camera: Camera): void {
    ctx.save();
    ctx.lineCap = "butt";
    ctx.globalCompositeOperation = look().light;
    for (const s of ships) {
      const t = this.#trails.get(s.seat);
      if (!t || s.hp === 0 || s.shield || !camera.sees(s.x, s.y, 120)) continue;
      const hex = tint(s.seat);
      let { x, y } = tail(s);
      for (let i = 0; i < t.points.length; i++) {
        const p = t.points[i]!;
        if (Math.hypot(p.x - x, p.y - y) > SLOW) {
          const left = 1 - i / POINTS;
          ctx.strokeStyle = faint(hex, 0.34 * left * left);
          ctx.lineWidth = 0.6 + 4.4 * left;
          ctx.beginPath();
          ctx.moveTo(x, y);
          ctx.lineTo(p.x, p.y);
          ctx.stroke();
        }
        ({ x, y } = p);
      }
    }
    ctx.restore();
  }
}

function tail(s: ShipView): { x: number; y: number } {
  return { x: s.x - 6 * Math.cos(s.angle), y: s.y - 6 * Math.sin(s.angle) };
}
