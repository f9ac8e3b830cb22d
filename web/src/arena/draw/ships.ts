// Ships: hull, flame, shield, name, and what is left of their strength.

import { colour, faint, hull } from "../colours.ts";
import type { ShipView } from "../scene.ts";
import { MAX_HP } from "../world.ts";
import type { Camera } from "./camera.ts";

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

/** Draws a ship in units. */
export function drawShip(ctx: CanvasRenderingContext2D, ship: ShipView, mood: ShipMood, now: number, still: boolean): void {
  const tint = colour(ship.seat);
  ctx.save();
  ctx.translate(ship.x, ship.y);
  ctx.globalAlpha = ship.away ? 0.4 : 1;
  if (mood.own) drawAim(ctx, ship.angle, tint);
  ctx.rotate(ship.angle);
  const grown = 0.4 + 0.6 * mood.arrived;
  ctx.scale(grown, grown);
  if (ship.thrust) drawFlame(ctx, now + 997 * ship.seat, still);
  outline(ctx, ship.seat);
  ctx.lineJoin = "round";
  ctx.fillStyle = "#0b1120";
  ctx.fill();
  ctx.fillStyle = mood.flash > 0 ? `rgba(255, 255, 255, ${0.3 + 0.7 * mood.flash})` : faint(tint, mood.own ? 0.42 : 0.24);
  ctx.fill();
  ctx.strokeStyle = faint(tint, 0.28);
  ctx.lineWidth = 5;
  ctx.stroke();
  ctx.strokeStyle = mood.flash > 0.4 ? "#ffffff" : tint;
  ctx.lineWidth = 1.7;
  ctx.stroke();
  // The cockpit says at a glance where a ship looks.
  ctx.fillStyle = mood.own ? "#ffffff" : faint(tint, 0.9);
  ctx.beginPath();
  ctx.ellipse(3.2, 0, 2.6, 1.3, 0, 0, 7);
  ctx.fill();
  ctx.restore();
  if (ship.shield) drawShield(ctx, ship, tint, now, still);
}

function outline(ctx: CanvasRenderingContext2D, seat: number): void {
  ctx.beginPath();
  for (const [x, y] of hull(seat)) ctx.lineTo(x, y);
  ctx.closePath();
}

/** A line of fading dots ahead of the own nose, to aim by. */
function drawAim(ctx: CanvasRenderingContext2D, angle: number, tint: string): void {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  for (let i = 0; i < 9; i++) {
    const far = 34 + i * 15;
    ctx.fillStyle = faint(tint, 0.5 * (1 - i / 9));
    ctx.beginPath();
    ctx.arc(cos * far, sin * far, 1, 0, 7);
    ctx.fill();
  }
}

function drawFlame(ctx: CanvasRenderingContext2D, now: number, still: boolean): void {
  const flicker = still ? 0.8 : 0.72 + 0.18 * Math.sin(now / 23) + 0.1 * Math.sin(now / 7.3);
  ctx.globalCompositeOperation = "lighter";
  for (const [long, wide, fill] of [[24, 5.2, "rgba(255, 96, 32, 0.5)"], [16, 3.6, "rgba(255, 176, 64, 0.75)"], [8.5, 2, "rgba(255, 244, 214, 0.95)"]] as const) {
    ctx.fillStyle = fill;
    ctx.beginPath();
    ctx.moveTo(-6.5, -wide);
    ctx.quadraticCurveTo(-9 - long * flicker * 0.6, -wide * 0.7, -7 - long * flicker, 0);
    ctx.quadraticCurveTo(-9 - long * flicker * 0.6, wide * 0.7, -6.5, wide);
    ctx.fill();
  }
  ctx.globalCompositeOperation = "source-over";
}

/** A bubble of three arcs that turn slowly. */
function drawShield(ctx: CanvasRenderingContext2D, ship: ShipView, tint: string, now: number, still: boolean): void {
  ctx.save();
  ctx.translate(ship.x, ship.y);
  const radius = 20 + (still ? 0 : 0.7 * Math.sin(now / 160));
  ctx.fillStyle = faint(tint, 0.09);
  ctx.beginPath();
  ctx.arc(0, 0, radius, 0, 7);
  ctx.fill();
  ctx.rotate(still ? 0 : now / 700);
  for (const [width, alpha] of [[5, 0.16], [1.4, 0.85]] as const) {
    ctx.strokeStyle = faint(tint, alpha);
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
  const x = Math.round((ship.x - camera.x) * camera.scale + camera.width / 2);
  const y = Math.round((ship.y - camera.y) * camera.scale + camera.height / 2 - 27 * camera.scale);
  const tint = colour(ship.seat);
  const text = ship.away ? `${ship.name} · away` : ship.name;
  ctx.globalAlpha = ship.away ? 0.5 : 1;
  ctx.font = `500 14px ${LABEL}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "alphabetic";
  ctx.lineWidth = 3;
  ctx.lineJoin = "round";
  ctx.strokeStyle = "rgba(7, 11, 20, 0.75)";
  ctx.fillStyle = mood.own ? "#f4f7fd" : tint;
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
  if (mood.leader) {
    const half = ctx.measureText(text).width / 2;
    drawCrown(ctx, x - half - 10, y - 5);
  }
  if (ship.hp < MAX_HP) {
    const wide = 34;
    ctx.fillStyle = "rgba(7, 11, 20, 0.8)";
    ctx.fillRect(x - wide / 2 - 1, y + 4, wide + 2, 5);
    ctx.fillStyle = faint(tint, 0.3);
    ctx.fillRect(x - wide / 2, y + 5, wide, 3);
    ctx.fillStyle = tint;
    ctx.fillRect(x - wide / 2, y + 5, (wide * ship.hp) / MAX_HP, 3);
  }
  ctx.globalAlpha = 1;
}

/** A small crown for who leads. */
function drawCrown(ctx: CanvasRenderingContext2D, x: number, y: number): void {
  ctx.fillStyle = "#ffd15c";
  ctx.beginPath();
  for (const [dx, dy] of [[-5.5, 3.5], [-5.5, -3], [-2.5, 0], [0, -4.5], [2.5, 0], [5.5, -3], [5.5, 3.5]] as const) ctx.lineTo(x + dx, y + dy);
  ctx.closePath();
  ctx.fill();
}
