// Bullets: a bright core, a glow in its owner's colour, and a fading streak behind.

import type { BulletView } from "../scene.ts";
import type { Camera } from "./camera.ts";
import { look, tint } from "./look.ts";

const STREAK = 38; // units
const glows = new Map<string, HTMLCanvasElement>();

/** A soft round light in a colour, made once: shadows and gradients for each bullet would cost too much. */
export function glow(hex: string): HTMLCanvasElement {
  let sprite = glows.get(hex);
  if (!sprite) {
    sprite = document.createElement("canvas");
    sprite.width = sprite.height = 64;
    const ctx = sprite.getContext("2d")!;
    const light = ctx.createRadialGradient(32, 32, 0, 32, 32, 32);
    light.addColorStop(0, `${hex}cc`);
    light.addColorStop(0.35, `${hex}55`);
    light.addColorStop(1, `${hex}00`);
    ctx.fillStyle = light;
    ctx.fillRect(0, 0, 64, 64);
    glows.set(hex, sprite);
  }
  return sprite;
}

/** Draws the bullets that the camera sees, in units. */
export function drawBullets(ctx: CanvasRenderingContext2D, bullets: BulletView[], camera: Camera): void {
  const { light, bright } = look();
  ctx.save();
  ctx.globalCompositeOperation = light;
  ctx.lineCap = "round";
  for (const b of bullets) {
    if (!camera.sees(b.x, b.y, STREAK)) continue;
    const hex = tint(b.owner);
    const long = Math.min(STREAK, b.flown);
    // Three strokes of growing strength look like one that fades, without a gradient for each.
    for (const [part, width, alpha] of [[1, 1.2, "40"], [0.62, 1.8, "66"], [0.3, 2.4, "aa"]] as const) {
      ctx.strokeStyle = hex + alpha;
      ctx.lineWidth = width;
      ctx.beginPath();
      ctx.moveTo(b.x - b.dx * long * part, b.y - b.dy * long * part);
      ctx.lineTo(b.x, b.y);
      ctx.stroke();
    }
    ctx.drawImage(glow(hex), b.x - 11, b.y - 11, 22, 22);
    ctx.fillStyle = bright;
    ctx.fillRect(b.x - 1.6, b.y - 1.6, 3.2, 3.2);
  }
  ctx.restore();
}
