// The part of the arena's rules that a player's own ship follows: steering, flight, walls, the gun and its bullets.

import { cos, sin } from "@muster/client/math";
import type { PredictStep } from "@muster/client";
import {
  BULLET_SPEED, DRAG, FULL, JAM_END, MAX_SPEED, RADIUS, SIZE, THRUST, TURN_RATE, WALL_BOUNCE, type Bullet, type Events, type Input,
  type Ship, type World,
} from "./world.ts";

const TWO_PI = 2 * Math.PI;
const AHEAD = RADIUS + 2;
const NOTHING: Input = { Turn: 0, Thrust: 0, Fire: false };

/** What this program knows of rows beside what is sent. */
interface Gun {
  reload?: number; // the tick from which it may fire again
}
interface Flight {
  vx?: number;
  vy?: number;
  end?: number;
}

/** Advances the own ship and the own bullets by one tick. */
export function step(s: PredictStep<World, Input, Events>): void {
  const round = s.state.Round.get(1);
  if (round?.Phase !== "Playing") return;
  const size = s.state.Field.get(1)?.Size || SIZE;
  const input = s.input ?? NOTHING;
  for (const ship of s.state.Ships.values()) {
    if (ship.Owner !== s.seat || ship.HP === 0) continue;
    steer(ship, input, s.dt);
    [ship.X, ship.VX] = bounce(ship.X + (ship.VX ?? 0) * s.dt, ship.VX ?? 0, size);
    [ship.Y, ship.VY] = bounce(ship.Y + (ship.VY ?? 0) * s.dt, ship.VY ?? 0, size);
    flyBullets(s, size);
    shoot(s, ship, input, size);
  }
}

function steer(ship: Ship, input: Input, dt: number): void {
  const turn = Math.max(-1, input.Turn / FULL);
  let push = Math.max(-1, input.Thrust / FULL);
  ship.Thrust = push > 0;
  if (push < 0) push /= 2;
  ship.Angle = (ship.Angle + turn * TURN_RATE * dt + TWO_PI) % TWO_PI;
  const slow = Math.max(0, 1 - DRAG * dt);
  let vx = (ship.VX ?? 0) * slow + push * THRUST * dt * cos(ship.Angle);
  let vy = (ship.VY ?? 0) * slow + push * THRUST * dt * sin(ship.Angle);
  const speed = Math.hypot(vx, vy);
  if (speed > MAX_SPEED) {
    vx *= MAX_SPEED / speed;
    vy *= MAX_SPEED / speed;
  }
  ship.VX = vx;
  ship.VY = vy;
}

function bounce(at: number, v: number, size: number): [number, number] {
  if (at < RADIUS) return [RADIUS, Math.max(v, -v * WALL_BOUNCE)];
  if (at > size - RADIUS) return [size - RADIUS, Math.min(v, -v * WALL_BOUNCE)];
  return [at, v];
}

function flyBullets(s: PredictStep<World, Input, Events>, size: number): void {
  for (const [id, b] of s.state.Bullets as Map<number, Bullet & Flight>) {
    if (b.Owner !== s.seat) continue;
    const { vx, vy, end } = b;
    if (vx === undefined || vy === undefined) continue; // of before this page was here
    b.X += vx * s.dt;
    b.Y += vy * s.dt;
    if (Math.min(b.X, b.Y) < 0 || Math.max(b.X, b.Y) > size || (end !== undefined && s.tick >= end)) s.state.Bullets.delete(id);
  }
}

function shoot(s: PredictStep<World, Input, Events>, ship: Ship & Gun, input: Input, size: number): void {
  let heat = Math.max(0, (ship.Heat ?? 0) - 30 * s.dt);
  if (heat <= JAM_END) ship.Jammed = false;
  if (input.Fire && !ship.Jammed && s.tick >= (ship.reload ?? 0)) {
    const [dx, dy] = [cos(ship.Angle), sin(ship.Angle)];
    const [x, y] = [ship.X + AHEAD * dx, ship.Y + AHEAD * dy];
    if (Math.min(x, y) >= 0 && Math.max(x, y) <= size) {
      const bullet: Bullet & Flight = {
        X: x, Y: y, Owner: s.seat, vx: BULLET_SPEED * dx, vy: BULLET_SPEED * dy, end: s.tick + Math.floor(1.2 * s.rate),
      };
      s.spawn("Bullets", bullet);
      ship.reload = s.tick + Math.floor(0.2 * s.rate);
      ship.Shield = false;
      heat += 12;
      if (heat >= 100) [heat, ship.Jammed] = [100, true];
    }
  }
  ship.Heat = heat;
}
