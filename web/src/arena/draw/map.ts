// The map in the corner: who is where, and what of it the window shows. In a large field, blips tell of those who are
// too far away to be seen; they are told seldom, so they are drawn fainter.

import { faint } from "../colours.ts";
import type { ShipView } from "../scene.ts";
import type { Camera } from "./camera.ts";
import { look, tint } from "./look.ts";

/** Somebody far away. */
export interface Blip {
  x: number;
  y: number;
  bot: boolean;
}

const GRID = 4; // parts of a side
const HIDE = 60; // units beyond the window in which blips are left out

/** Draws the map onto its own canvas, which is square, of a side in CSS pixels. */
export function drawMap(
  canvas: HTMLCanvasElement, side: number, ratio: number, ships: readonly ShipView[], blips: readonly Blip[], own: number, camera: Camera,
): void {
  const pixels = Math.round(side * ratio);
  if (pixels === 0) return;
  if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
  const { size } = camera;
  const { map, bright } = look();
  const ctx = canvas.getContext("2d")!;
  const scale = pixels / size;
  ctx.setTransform(scale, 0, 0, scale, 0, 0);
  ctx.clearRect(0, 0, size, size);
  const unit = size / side; // a CSS pixel
  ctx.strokeStyle = map.grid;
  ctx.lineWidth = unit;
  ctx.beginPath();
  for (let i = 1; i < GRID; i++) {
    const at = (i * size) / GRID;
    ctx.moveTo(at, 0);
    ctx.lineTo(at, size);
    ctx.moveTo(0, at);
    ctx.lineTo(size, at);
  }
  ctx.stroke();
  ctx.strokeStyle = map.window;
  ctx.strokeRect(camera.x - camera.halfWidth, camera.y - camera.halfHeight, 2 * camera.halfWidth, 2 * camera.halfHeight);
  const dot = 2.2 * unit;
  for (const b of blips) {
    if (camera.sees(b.x, b.y, HIDE)) continue; // who is near is drawn as a ship
    ctx.fillStyle = faint(bright, b.bot ? 0.42 : 0.95);
    ctx.fillRect(b.x - dot / 2, b.y - dot / 2, dot, dot);
  }
  const point = blips.length > 40 ? 3.4 * unit : 5 * unit;
  for (const ship of ships) {
    if (ship.hp === 0 || ship.seat === own || (blips.length > 0 && !camera.sees(ship.x, ship.y, HIDE))) continue;
    ctx.fillStyle = faint(tint(ship.seat), ship.away ? 0.4 : 1);
    ctx.fillRect(ship.x - point / 2, ship.y - point / 2, point, point);
  }
  const me = ships.find((s) => s.seat === own);
  if (!me || me.hp === 0) return;
  ctx.translate(me.x, me.y);
  ctx.rotate(me.angle);
  ctx.fillStyle = bright;
  ctx.beginPath();
  ctx.moveTo(6 * unit, 0);
  ctx.lineTo(-4 * unit, 3.8 * unit);
  ctx.lineTo(-4 * unit, -3.8 * unit);
  ctx.fill();
}
