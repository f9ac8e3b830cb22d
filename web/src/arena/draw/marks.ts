// What tells the player something about the own fight: that a shot hit, where one came from, what a kill was worth.
// In CSS pixels, above everything.

import { faint } from "../colours.ts";
import type { Camera } from "./camera.ts";
import { look, tint } from "./look.ts";

const HIT_TIME = 260; // ms
const HARM_TIME = 900;
const POINT_TIME = 1100;

interface Hit {
  at: number;
  x: number; // units
  y: number;
  kill: boolean;
}

interface Harm {
  at: number;
  angle: number; // from the own ship to where it came from
  seat: number;
}

export class Marks {
  #hits: Hit[] = [];
  #harms: Harm[] = [];
  #points: Hit[] = [];

  clear(): void {
    this.#hits = [];
    this.#harms = [];
    this.#points = [];
  }

  /** An own shot that hit something. */
  hit(x: number, y: number, kill: boolean, now: number): void {
    this.#hits.push({ at: now, x, y, kill });
    if (kill) this.#points.push({ at: now, x, y, kill });
  }

  /** Harm that came from there, by somebody. The newest of each is shown. */
  harm(angle: number, seat: number, now: number): void {
    this.#harms = this.#harms.filter((h) => h.seat !== seat);
    this.#harms.push({ at: now, angle, seat });
  }

  /** Draws what is not over yet; me is where the own ship is, in units. */
  draw(ctx: CanvasRenderingContext2D, camera: Camera, now: number, me: { x: number; y: number } | undefined, still: boolean): void {
    this.#hits = this.#hits.filter((h) => now - h.at < HIT_TIME);
    this.#harms = this.#harms.filter((h) => now - h.at < HARM_TIME);
    this.#points = this.#points.filter((h) => now - h.at < POINT_TIME);
    ctx.save();
    ctx.lineCap = "round";
    for (const h of this.#hits) cross(ctx, camera, h, (now - h.at) / HIT_TIME);
    if (me) for (const h of this.#harms) arc(ctx, camera, h, (now - h.at) / HARM_TIME, me);
    for (const h of this.#points) plusOne(ctx, camera, h, (now - h.at) / POINT_TIME, still);
    ctx.restore();
  }
}

/** Four strokes around what was hit. */
function cross(ctx: CanvasRenderingContext2D, camera: Camera, h: Hit, part: number): void {
  const { x, y } = camera.onScreen(h.x, h.y);
  const near = (h.kill ? 15 : 11) + 5 * part;
  const long = h.kill ? 11 : 7;
  ctx.lineWidth = h.kill ? 3 : 2.2;
  ctx.strokeStyle = h.kill ? look().crown : look().bright;
  ctx.globalAlpha = 1 - part * part;
  ctx.beginPath();
  for (const [dx, dy] of [[1, 1], [1, -1], [-1, 1], [-1, -1]] as const) {
    ctx.moveTo(x + dx * near, y + dy * near);
    ctx.lineTo(x + dx * (near + long), y + dy * (near + long));
  }
  ctx.stroke();
}

/** A part of a circle around the own ship, on the side from which it was hurt. */
function arc(ctx: CanvasRenderingContext2D, camera: Camera, h: Harm, part: number, me: { x: number; y: number }): void {
  const { x, y } = camera.onScreen(me.x, me.y);
  const radius = 54 * Math.max(0.8, camera.scale);
  ctx.globalAlpha = (1 - part) ** 1.4;
  for (const [width, alpha] of [[9, 0.3], [4, 1]] as const) {
    ctx.strokeStyle = faint(tint(h.seat), alpha);
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.arc(x, y, radius, h.angle - 0.42, h.angle + 0.42);
    ctx.stroke();
  }
}

/** What a kill was worth, rising from where it was. */
function plusOne(ctx: CanvasRenderingContext2D, camera: Camera, h: Hit, part: number, still: boolean): void {
  const { x, y } = camera.onScreen(h.x, h.y);
  const up = still ? 30 : 24 + 34 * (1 - (1 - part) ** 3);
  ctx.globalAlpha = 1 - Math.max(0, (part - 0.55) / 0.45);
  ctx.font = `700 26px "Barlow Condensed", "Arial Narrow", sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineWidth = 4;
  ctx.lineJoin = "round";
  ctx.strokeStyle = look().halo;
  ctx.fillStyle = look().crown;
  ctx.strokeText("+1", x, y - up);
  ctx.fillText("+1", x, y - up);
}
