// Bullets: a white core, a glow in its owner's colour, and a fading streak behind.

import { colour } from "../colours.ts";
import type { BulletView } from "../scene.ts";

const STREAK = 38; // units
const glows = new Map<string, HTMLCanvasElement>();

/** A soft round light in a colour, made once: shadows and gradients for each bullet would cost too much. */
export function glow(tint: string): HTMLCanvasElement {
  let sprite = glows.get(tint);
  if (!sprite) {
    sprite = document.createElement("canvas");
    sprite.width = sprite.height = 64;
    const ctx = sprite.getContext("2d")!;
    const light = ctx.createRadialGradient(32, 32, 0, 32, 32, 32);
    light.addColorStop(0, `${tint}cc`);
    light.addColorStop(0.35, `${tint}55`);
    light.addColorStop(1, `${tint}00`);
    ctx.fillStyle = light;
    ctx.fillRect(0, 0, 64, 64);
    glows.set(tint, sprite);
  }
  return sprite;
}

/** Draws bullets in units. */
export function drawBullets(ctx: CanvasRenderingContext2D, bullets: BulletView[]): void {
  ctx.save();
  ctx.globalCompositeOperation = "lighter";
  ctx.lineCap = "round";
  for (const b of bullets) {
    const tint = colour(b.owner);
    const long = Math.min(STREAK, b.flown);
    // Three strokes of growing strength look like one that fades, without a gradient for each.
    for (const [part, width, alpha] of [[1, 1.2, "40"], [0.62, 1.8, "66"], [0.3, 2.4, "aa"]] as const) {
      ctx.strokeStyle = tint + alpha;
      ctx.lineWidth = width;
      ctx.beginPath();
      ctx.moveTo(b.x - b.dx * long * part, b.y - b.dy * long * part);
      ctx.lineTo(b.x, b.y);
      ctx.stroke();
    }
    ctx.drawImage(glow(tint), b.x - 11, b.y - 11, 22, 22);
    ctx.fillStyle = "#ffffff";
    ctx.beginPath();
    ctx.arc(b.x, b.y, 1.9, 0, 7);
    ctx.fill();
  }
  ctx.restore();
}
