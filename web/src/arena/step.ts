// The own ship and its bullets, ahead of the server: games/arena's rules as far as its player knows enough, with the same
// bits (float32 where the rules have it, the same order of operations). Whom he meets and hits is the server's to say.

import type { PredictStep } from "@muster/client";
import { cos, sin } from "@muster/client/math";

import type { Bullet, Events, Input, Ship, State } from "./types.ts";
import { BULLET_SPEED, DRAG, FULL, JAM_END, MAX_SPEED, RADIUS, SIZE, THRUST, TURN_RATE, WALL_BOUNCE } from "./world.ts";

const BULLET_TIME = 1.2; // seconds
const BULLET_SIZE = 2; // radius
const RELOAD_TIME = 0.2;
const HEAT_PER_SHOT = 12;
const COOL_RATE = 30; // heat a second
const REWIND = 5; // ticks: how far back the server looks for what a shot meets

type Step = PredictStep<State, Input, Events>;

/** A ship of one's own, with what only the rules know of it. */
interface OwnShip extends Ship {
  Reload?: number; // the tick from which the gun may fire again
}

/** A bullet of one's own, with what only the rules know of it. */
export interface OwnBullet extends Bullet {
  VX?: number; // units a second
  VY?: number;
  End?: number; // the tick at which it is gone
  Lag?: number; // ticks that it is ahead, since the server lets it meet what its shooter saw
}

/**
 * Where an own bullet is for its player's eyes: it leaves the nose of his ship, though the server has it farther on. Others'
 * are where they are.
 */
export function seen(b: OwnBullet, rate: number): { X: number; Y: number } {
  const back = (b.Lag ?? 0) / rate;
  return { X: b.X - (b.VX ?? 0) * back, Y: b.Y - (b.VY ?? 0) * back };
}

/** What match.predict takes. */
export function step(s: Step): void {
  const round = s.state.Round.get(1);
  if (round?.Phase !== "Playing" || s.tick >= round.Ends) return;
  const side = s.state.Field.get(1)?.Size || SIZE;
  const input = s.input ?? { Turn: 0, Thrust: 0, Fire: false };
  const ships = [...s.state.Ships.values()].filter(({ Owner, HP }) => Owner === s.seat && HP > 0);
  for (const ship of ships) {
    steer(ship, input, s.dt);
    move(ship, s.dt, side);
  }
  for (const [id, b] of s.state.Bullets as Map<number, OwnBullet>) {
    if (b.Owner !== s.seat || b.End === undefined) continue;
    if (s.tick > b.End || !fly(b, s.dt, side) || s.tick === b.End) s.state.Bullets.delete(id);
  }
  for (const ship of ships) shoot(s, ship, input.Fire, side);
}

function steer(ship: Ship, input: Input, dt: number): void {
  const turn = control(input.Turn);
  let push = control(input.Thrust);
  ship.Angle = Math.fround(wrap(Math.fround(ship.Angle) + turn * TURN_RATE * dt));
  ship.Thrust = push > 0;
  if (push < 0) push /= 2;
  const slow = Math.max(0, 1 - DRAG * dt);
  let vx = (ship.VX ?? 0) * slow;
  let vy = (ship.VY ?? 0) * slow;
  if (push !== 0) {
    const a = push * THRUST * dt;
    vx += a * cos(ship.Angle);
    vy += a * sin(ship.Angle);
  }
  const speed = Math.sqrt(vx * vx + vy * vy);
  if (speed > MAX_SPEED) {
    vx = (vx * MAX_SPEED) / speed;
    vy = (vy * MAX_SPEED) / speed;
  }
  ship.VX = Math.fround(vx);
  ship.VY = Math.fround(vy);
}

function control(v: number): number {
  return Math.max(-1, v / FULL);
}

function wrap(a: number): number {
  const turn = 2 * Math.PI;
  if (a < 0) return a + turn;
  return a >= turn ? a - turn : a;
}

function move(ship: Ship, dt: number, side: number): void {
  [ship.X, ship.VX] = bounce(Math.fround(Math.fround(ship.X) + ship.VX! * dt), ship.VX!, side);
  [ship.Y, ship.VY] = bounce(Math.fround(Math.fround(ship.Y) + ship.VY! * dt), ship.VY!, side);
}

function bounce(x: number, v: number, side: number): [number, number] {
  const back = Math.fround(-v * Math.fround(WALL_BOUNCE));
  if (x < RADIUS) return [RADIUS, Math.max(v, back)];
  if (x > side - RADIUS) return [side - RADIUS, Math.min(v, back)];
  return [x, v];
}

/** Moves a bullet; false where it has met a wall. */
function fly(b: OwnBullet, dt: number, side: number): boolean {
  const x = Math.fround(b.X) + b.VX! * dt;
  const y = Math.fround(b.Y) + b.VY! * dt;
  if (!onField(x, y, side)) return false;
  b.X = Math.fround(x);
  b.Y = Math.fround(y);
  return true;
}

function onField(x: number, y: number, side: number): boolean {
  return x >= 0 && x <= side && y >= 0 && y <= side;
}

function shoot(s: Step, ship: OwnShip, fires: boolean, side: number): void {
  let heat = Math.max(0, (ship.Heat ?? 0) - COOL_RATE * s.dt);
  if (heat <= JAM_END) ship.Jammed = false;
  if (fires && !ship.Jammed && s.tick >= (ship.Reload ?? 0) && fire(s, ship, side)) {
    ship.Reload = s.tick + Math.floor(RELOAD_TIME * s.rate);
    ship.Shield = false;
    heat += HEAT_PER_SHOT;
    if (heat >= 100) {
      heat = 100;
      ship.Jammed = true;
    }
  }
  ship.Heat = Math.fround(heat);
}

/** Puts a bullet before the nose; false where that is in a wall. */
function fire(s: Step, ship: Ship, side: number): boolean {
  const [c, n] = [cos(ship.Angle), sin(ship.Angle)];
  const ahead = RADIUS + BULLET_SIZE;
  const [x, y] = [ship.X + ahead * c, ship.Y + ahead * n];
  if (!onField(x, y, side)) return false;
  const b = {
    X: Math.fround(x), Y: Math.fround(y), Owner: s.seat, Lag: 0,
    VX: Math.fround(BULLET_SPEED * c), VY: Math.fround(BULLET_SPEED * n), End: s.tick + Math.floor(BULLET_TIME * s.rate),
  };
  if (s.spawn("Bullets", b) === 0) return false;
  // It flies the time by which its shooter saw the world late: what he aimed at is what it meets.
  const newest = s.tick - 1;
  const view = Math.max(newest - REWIND, Math.min(newest, s.inputs.at(-1)?.view ?? newest));
  let part = 1 - (view % 1);
  for (let at = Math.floor(view) + 2; at <= s.tick; at++) {
    b.End--;
    if (!fly(b, part * s.dt, side)) {
      b.End = s.tick;
      break;
    }
    b.Lag += part;
    part = 1;
  }
  return true;
}
