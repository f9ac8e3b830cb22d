// Ships: hull, flame, shield, name, and what is left of their strength.

import { faint } from "../colours.ts";
import type { ShipView } from "../scene.ts";
import { MAX_HP } from "../world.ts";
import type { Camera } from "./camera.ts";
import { outline, REACH, stamp } from "./hulls.ts";
import { look, tint } from "./look.ts";

const LABEL = `"Barlow Condensed", "Arial Narrow", system-ui, sans-serif`;

/** What a ship looks like now, beside its state. */
export interface ShipMood {
  own: boolean;
  leader: boolean;
  /** 1 just after it was hit, falling to 0. */
  flash: number;
  /** 0 just after it came into play, rising to 1. */
  arrived: number;
}

/** Draws a ship in units; pixels is how many of the screen's a unit has. */
export function drawShip(
  ctx: CanvasRenderingContext2D, ship: ShipView, mood: ShipMood, now: number, still: boolean, pixels: number,
): void {
  ctx.save();
  ctx.translate(ship.x, ship.y);
  ctx.globalAlpha = ship.away ? 0.4 : 1;
  if (mood.own) drawAim(ctx, ship.angle, tint(ship.seat));
  ctx.rotate(ship.angle);
  const grown = 0.4 + 0.6 * mood.arrived;
  if (grown !== 1) ctx.scale(grown, grown);
  if (ship.thrust) drawFlame(ctx, now + 997 * ship.seat, still);
  ctx.drawImage(stamp(ship.seat, mood.own, pixels), -REACH, -REACH, 2 * REACH, 2 * REACH);
  if (mood.flash > 0) {
    outline(ctx, ship.seat);
    ctx.fillStyle = faint(look().bright, 0.85 * mood.flash);
    ctx.fill();
  }
  ctx.restore();
  if (ship.shield) drawShield(ctx, ship, tint(ship.seat), now, still);
}

/** A line of fading dots ahead of the own nose, to aim by. */
function drawAim(ctx: CanvasRenderingContext2D, angle: number, hex: string): void {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  for (let i = 0; i < 9; i++) {
    const far = 34 + i * 15;
    ctx.fillStyle = faint(hex, 0.5 * (1 - i / 9));
    ctx.fillRect(cos * far - 1, sin * far - 1, 2, 2);
  }
}

function drawFlame(ctx: CanvasRenderingContext2D, now: number, still: boolean): void {
  const { light, flame } = look();
  const flicker = still ? 0.8 : 0.72 + 0.18 * Math.sin(now / 23) + 0.1 * Math.sin(now / 7.3);
  ctx.globalCompositeOperation = light;
  ([[24, 5.2], [16, 3.6], [8.5, 2]] as const).forEach(([long, wide], i) => {
    ctx.fillStyle = flame[i]!;
    ctx.beginPath();
    ctx.moveTo(-6.5, -wide);
    ctx.quadraticCurveTo(-9 - long * flicker * 0.6, -wide * 0.7, -7 - long * flicker, 0);
    ctx.quadraticCurveTo(-9 - long * flicker * 0.6, wide * 0.7, -6.5, wide);
    ctx.fill();
  });
  ctx.globalCompositeOperation = "source-over";
}

/** A bubble of three arcs that turn slowly. */
function drawShield(ctx: CanvasRenderingContext2D, ship: ShipView, hex: string, now: number, still: boolean): void {
  ctx.save();
  ctx.translate(ship.x, ship.y);
  const radius = 20 + (still ? 0 : 0.7 * Math.sin(now / 160));
  ctx.fillStyle = faint(hex, 0.11);
  ctx.beginPath();
  ctx.arc(0, 0, radius, 0, 7);
  ctx.fill();
  ctx.rotate(still ? 0 : now / 700);
  for (const [width, alpha] of [[5, 0.16], [1.4, 0.85]] as const) {
    ctx.strokeStyle = faint(hex, alpha);
    ctx.lineWidth = width;
    ctx.beginPath();
    for (let i = 0; i < 3; i++) {
      const from = (i * 2 * Math.PI) / 3;
      ctx.moveTo(radius * Math.cos(from), radius * Math.sin(from));
      ctx.arc(0, 0, radius, from, from + 1.6);
    }
    ctx.stroke();
  }
  ctx.restore();
}

/** Draws a ship's name and, when it is hurt, its strength; in CSS pixels, so that letters stay sharp. */
export function drawLabel(ctx: CanvasRenderingContext2D, ship: ShipView, mood: ShipMood, camera: Camera): void {
  const { halo, own, crown } = look();
  const at = camera.onScreen(ship.x, ship.y);
  const x = Math.round(at.x);
  const y = Math.round(at.y - 27 * camera.scale);
  const hex = tint(ship.seat);
  const text = ship.away ? `${ship.name} · away` : ship.name;
  ctx.globalAlpha = ship.away ? 0.5 : 1;
  ctx.font = `500 ${Math.round(14 * Math.max(1, camera.scale / 2))}px ${LABEL}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "alphabetic";
  ctx.lineWidth = 3;
  ctx.lineJoin = "round";
  ctx.strokeStyle = halo;
  ctx.fillStyle = mood.own ? own : hex;
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
  if (mood.leader) {
    const half = ctx.measureText(text).width / 2;
    drawCrown(ctx, x - half - 10, y - 5, crown);
  }
  if (ship.hp < MAX_HP) drawStrength(ctx, x, y + 4, ship.hp / MAX_HP, hex, halo);
  ctx.globalAlpha = 1;
}

function drawStrength(ctx: CanvasRenderingContext2D, x: number, y: number, part: number, hex: string, halo: string): void {
  const wide = 34;
  ctx.fillStyle = halo;
  ctx.fillRect(x - wide / 2 - 1, y, wide + 2, 5);
  ctx.fillStyle = faint(hex, 0.3);
  ctx.fillRect(x - wide / 2, y + 1, wide, 3);
  ctx.fillStyle = hex;
  ctx.fillRect(x - wide / 2, y + 1, wide * part, 3);
}

/** A small crown for who leads. */
function drawCrown(ctx: CanvasRenderingContext2D, x: number, y: number, fill: string): void {
  ctx.fillStyle = fill;
  ctx.beginPath();
  for (const [dx, dy] of [[-5.5, 3.5], [-5.5, -3], [-2.5, 0], [0, -4.5], [2.5, 0], [5.5, -3], [5.5, 3.5]] as const) ctx.lineTo(x + dx, y + dy);
  ctx.closePath();
  ctx.fill();
}
