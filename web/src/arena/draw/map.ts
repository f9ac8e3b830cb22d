// The map in the corner: who is where, and what of it the window shows.

import { colour, faint } from "../colours.ts";
import type { ShipView } from "../scene.ts";
import { SIZE } from "../world.ts";
import type { Camera } from "./camera.ts";

/** Draws the map onto its own canvas, which is square. */
export function drawMap(canvas: HTMLCanvasElement, ratio: number, ships: ShipView[], own: number, camera: Camera): void {
  const side = canvas.clientWidth;
  const pixels = Math.round(side * ratio);
  if (pixels === 0) return;
  if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
  const ctx = canvas.getContext("2d")!;
  const scale = pixels / SIZE;
  ctx.setTransform(scale, 0, 0, scale, 0, 0);
  ctx.clearRect(0, 0, SIZE, SIZE);
  const unit = SIZE / side; // a CSS pixel
  ctx.strokeStyle = "rgba(150, 178, 225, 0.14)";
  ctx.lineWidth = unit;
  ctx.beginPath();
  for (let at = 250; at < SIZE; at += 250) {
    ctx.moveTo(at, 0);
    ctx.lineTo(at, SIZE);
    ctx.moveTo(0, at);
    ctx.lineTo(SIZE, at);
  }
  ctx.stroke();
  ctx.strokeStyle = "rgba(190, 210, 245, 0.34)";
  ctx.strokeRect(camera.x - camera.halfWidth, camera.y - camera.halfHeight, 2 * camera.halfWidth, 2 * camera.halfHeight);
  for (const ship of ships) {
    if (ship.hp === 0 || ship.seat === own) continue;
    ctx.fillStyle = faint(colour(ship.seat), ship.away ? 0.4 : 1);
    ctx.beginPath();
    ctx.arc(ship.x, ship.y, 2.6 * unit, 0, 7);
    ctx.fill();
  }
  const me = ships.find((s) => s.seat === own);
  if (!me || me.hp === 0) return;
  ctx.translate(me.x, me.y);
  ctx.rotate(me.angle);
  ctx.fillStyle = "#ffffff";
  ctx.beginPath();
  ctx.moveTo(6 * unit, 0);
  ctx.lineTo(-4 * unit, 3.8 * unit);
  ctx.lineTo(-4 * unit, -3.8 * unit);
  ctx.fill();
}
