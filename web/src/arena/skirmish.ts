// A skirmish of ships that nobody steers: the life behind the join form. It follows the rules of games/arena closely
// enough to look like it, and is a stand-in for a room where there is no server.

import { turn, type Pose } from "./pose.ts";
import {
  BULLET_SPEED, DRAG, FULL, JAM_END, MAX_HP, MAX_SPEED, RADIUS, RESPAWN, SIZE, THRUST, TURN_RATE, WALL_BOUNCE, type Bullet, type Input, type Ship,
} from "./world.ts";

const RATE = 20;
const DT = 1 / RATE;
const DAMAGE = 30;

interface Craft extends Ship {
  Heat: number;
  Jammed: boolean;
  body: Body;
  reload: number;
  shieldEnd: number;
  goal: { x: number; y: number };
  think: number;
  burst: boolean;
}

interface Round extends Bullet {
  vx: number;
  vy: number;
  end: number;
}

/** Something that happened in a tick, named as the game's events are. */
export interface SkirmishEvent {
  name: "Hit" | "Kill" | "Spawned";
  fields: { [name: string]: number };
}

/** A little world of its own. */
export class Skirmish {
  tick = 0;
  readonly ships = new Map<number, Craft>();
  readonly bullets = new Map<number, Round>();
  readonly #random: () => number;
  #next = 1;

  constructor(names: string[], random: () => number = Math.random) {
    this.#random = random;
    names.forEach((name, i) => this.add(i + 1, name));
  }

  /** Adds a ship that comes into play with the next step. */
  add(seat: number, name: string): void {
    const body = { x: SIZE / 2, y: SIZE / 2, angle: 0, vx: 0, vy: 0 };
    this.ships.set(seat, {
      X: body.x, Y: body.y, Angle: 0, Owner: seat, Name: name, HP: 0, Score: 0, Deaths: 0, Thrust: false, Shield: false, Away: false,
      Spawn: 0, Heat: 0, Jammed: false, body, reload: 0, shieldEnd: 0, goal: this.#place(), think: 0, burst: false,
    });
  }

  /** Advances by a tick. Ships without an input steer themselves. */
  step(inputs: ReadonlyMap<number, Input> = new Map()): SkirmishEvent[] {
    const events: SkirmishEvent[] = [];
    this.tick++;
    for (const c of this.ships.values()) {
      if (c.HP === 0) {
        if (this.tick >= c.Spawn) this.#spawn(c, events);
        continue;
      }
      const input = inputs.get(c.Owner) ?? this.#steer(c);
      c.body = advance(c.body, input, DT);
      c.Thrust = input.Thrust > 0;
      if (this.tick >= c.shieldEnd) c.Shield = false;
      this.#shoot(c, input);
      c.X = c.body.x;
      c.Y = c.body.y;
      c.Angle = ((c.body.angle % (2 * Math.PI)) + 2 * Math.PI) % (2 * Math.PI);
    }
    for (const [id, b] of this.bullets) if (!this.#fly(b, events)) this.bullets.delete(id);
    return events;
  }

  #place(margin = 180): { x: number; y: number } {
    return { x: margin + this.#random() * (SIZE - 2 * margin), y: margin + this.#random() * (SIZE - 2 * margin) };
  }

  #spawn(c: Craft, events: SkirmishEvent[]): void {
    const { x, y } = this.#place(80);
    c.body = { x, y, angle: Math.atan2(SIZE / 2 - y, SIZE / 2 - x), vx: 0, vy: 0 };
    Object.assign(c, { X: x, Y: y, Angle: c.body.angle, HP: MAX_HP, Heat: 0, Jammed: false, Shield: true, shieldEnd: this.tick + 30 });
    events.push({ name: "Spawned", fields: { Seat: c.Owner } });
  }

  /** Hunts the nearest ship, or wanders. */
  #steer(c: Craft): Input {
    let near: Craft | undefined;
    let far = 420;
    for (const other of this.ships.values()) {
      const d = Math.hypot(other.X - c.X, other.Y - c.Y);
      if (other !== c && other.HP > 0 && d < far) [near, far] = [other, d];
    }
    if (this.tick >= c.think) {
      c.think = this.tick + 15 + Math.floor(this.#random() * 30);
      c.goal = this.#place();
      c.burst = this.#random() < 0.6;
    }
    const lead = far / BULLET_SPEED;
    const to = near ? { x: near.X + near.body.vx * lead, y: near.Y + near.body.vy * lead } : c.goal;
    const wall = Math.min(c.X, c.Y) < 60 || Math.max(c.X, c.Y) > SIZE - 60;
    const goal = wall ? { x: SIZE / 2, y: SIZE / 2 } : to;
    const off = turn(c.Angle, Math.atan2(goal.y - c.Y, goal.x - c.X) + (this.#random() - 0.5) * 0.25);
    return {
      Turn: Math.round(FULL * Math.max(-1, Math.min(1, off / 0.5))),
      Thrust: Math.abs(off) < 1 && (far > 150 || wall) ? FULL : 0,
      Fire: c.burst && near !== undefined && !wall && Math.abs(off) < 0.2,
    };
  }

  #shoot(c: Craft, input: Input): void {
    c.Heat = Math.max(0, c.Heat - 30 * DT);
    if (c.Heat <= JAM_END) c.Jammed = false;
    if (!input.Fire || c.Jammed || this.tick < c.reload) return;
    const [cos, sin] = [Math.cos(c.body.angle), Math.sin(c.body.angle)];
    const [x, y] = [c.body.x + 14 * cos, c.body.y + 14 * sin];
    if (Math.min(x, y) < 0 || Math.max(x, y) > SIZE) return;
    this.bullets.set(this.#next++, { X: x, Y: y, Owner: c.Owner, vx: BULLET_SPEED * cos, vy: BULLET_SPEED * sin, end: this.tick + 24 });
    c.reload = this.tick + 4;
    c.Shield = false;
    c.Heat += 12;
    if (c.Heat >= 100) [c.Heat, c.Jammed] = [100, true];
  }

  /** Moves a bullet; false when it is gone. Checked in five places of its way, it tunnels through nothing. */
  #fly(b: Round, events: SkirmishEvent[]): boolean {
    for (let i = 0; i < 5; i++) {
      b.X += (b.vx * DT) / 5;
      b.Y += (b.vy * DT) / 5;
      for (const c of this.ships.values()) {
        if (c.HP === 0 || c.Owner === b.Owner || Math.hypot(c.X - b.X, c.Y - b.Y) > RADIUS + 2) continue;
        if (!c.Shield) this.#hit(c, b.Owner, events);
        return false;
      }
    }
    return this.tick < b.end && Math.min(b.X, b.Y) >= 0 && Math.max(b.X, b.Y) <= SIZE;
  }

  #hit(c: Craft, by: number, events: SkirmishEvent[]): void {
    events.push({ name: "Hit", fields: { Victim: c.Owner, By: by } });
    if (c.HP > DAMAGE) {
      c.HP -= DAMAGE;
      return;
    }
    events.push({ name: "Kill", fields: { Victim: c.Owner, By: by } });
    Object.assign(c, { HP: 0, Thrust: false, Deaths: c.Deaths + 1, Spawn: this.tick + RESPAWN * RATE });
    const winner = this.ships.get(by);
    if (winner) winner.Score++;
  }
}

/** What flight needs of a ship. */
interface Body extends Pose {
  vx: number;
  vy: number;
}

/** Advances a ship by one tick of dt seconds, as games/arena's steer and move do. */
function advance(body: Body, input: Input, dt: number): Body {
  const steer = Math.max(-1, input.Turn / FULL);
  let push = Math.max(-1, input.Thrust / FULL);
  if (push < 0) push /= 2;
  const angle = body.angle + steer * TURN_RATE * dt;
  const slow = Math.max(0, 1 - DRAG * dt);
  let vx = body.vx * slow + push * THRUST * dt * Math.cos(angle);
  let vy = body.vy * slow + push * THRUST * dt * Math.sin(angle);
  const speed = Math.hypot(vx, vy);
  if (speed > MAX_SPEED) {
    vx *= MAX_SPEED / speed;
    vy *= MAX_SPEED / speed;
  }
  const [x, fx] = bounce(body.x + vx * dt, vx);
  const [y, fy] = bounce(body.y + vy * dt, vy);
  return { x, y, angle, vx: fx, vy: fy };
}

function bounce(at: number, v: number): [number, number] {
  if (at < RADIUS) return [RADIUS, Math.max(v, -v * WALL_BOUNCE)];
  if (at > SIZE - RADIUS) return [SIZE - RADIUS, Math.min(v, -v * WALL_BOUNCE)];
  return [at, v];
}
