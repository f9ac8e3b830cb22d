// Small arrows at the edge of the window that say where ships are beyond it.

import { faint } from "../colours.ts";
import type { ShipView } from "../scene.ts";
import type { Camera } from "./camera.ts";
import { tint } from "./look.ts";

const INSET = 16; // CSS pixels from the edge
const FAR = 1200; // units at which an arrow is faintest
const ALL = 15; // ships beyond the window that all have an arrow; of more, as in a crowd, only the nearest
const NEAREST = 6;

/** Draws arrows to the nearest ships that the window does not show, in CSS pixels. */
export function drawPointers(ctx: CanvasRenderingContext2D, ships: readonly ShipView[], own: number, camera: Camera): void {
  const beyond = ships.filter((s) => s.seat !== own && s.hp > 0 && !camera.sees(s.x, s.y, 4));
  if (beyond.length > ALL) {
    const far = (s: ShipView) => (s.x - camera.x) ** 2 + (s.y - camera.y) ** 2;
    beyond.sort((a, b) => far(a) - far(b));
    beyond.length = NEAREST;
  }
  for (const s of beyond) point(ctx, s, camera);
}

function point(ctx: CanvasRenderingContext2D, s: ShipView, camera: Camera): void {
  const [dx, dy] = [s.x - camera.x, s.y - camera.y];
  const part = Math.min(
    (camera.width / 2 - INSET) / Math.max(1e-6, Math.abs(dx) * camera.scale),
    (camera.height / 2 - INSET) / Math.max(1e-6, Math.abs(dy) * camera.scale),
  );
  ctx.save();
  ctx.translate(camera.width / 2 + dx * camera.scale * part, camera.height / 2 + dy * camera.scale * part);
  ctx.rotate(Math.atan2(dy, dx));
  ctx.fillStyle = faint(tint(s.seat), s.away ? 0.3 : Math.max(0.35, 0.95 - Math.hypot(dx, dy) / FAR));
  ctx.beginPath();
  ctx.moveTo(7, 0);
  ctx.lineTo(-4, 5);
  ctx.lineTo(-1.5, 0);
  ctx.lineTo(-4, -5);
  ctx.fill();
  ctx.restore();
}
