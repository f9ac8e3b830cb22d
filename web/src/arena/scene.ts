// What is on the screen at a moment. The rows that are shown go in, some of them between two states and some ahead of
// them; ships, bullets and happenings come out, so that a ship explodes where and when it is seen to be hit.

import type { Pose } from "./pose.ts";
import { BULLET_SPEED, type Bullet, type Ship } from "./world.ts";

/** The rows that are shown at a tick, which has its fraction. */
export interface ShownRows {
  tick: number;
  Ships: Iterable<[number, Ship]>;
  Bullets: Iterable<[number, Bullet]>;
}

/** A ship as it is drawn. */
export interface ShipView extends Pose {
  seat: number;
  name: string;
  hp: number; // 0 while destroyed
  thrust: boolean;
  shield: boolean;
  away: boolean;
}

/** A bullet as it is drawn: where it is, its heading, and how far it has flown, in units. */
export interface BulletView {
  owner: number;
  x: number;
  y: number;
  dx: number;
  dy: number;
  flown: number;
}

/** Something that happens once. Seats are those of the game's events; a shot and a bullet's end have a place. */
export type Happening =
  | { kind: "hit" | "kill"; victim: number; by: number }
  | { kind: "spawn"; seat: number }
  | { kind: "shot" | "gone"; owner: number; x: number; y: number; dx: number; dy: number };

/** What a moment shows. */
export interface Moment {
  ships: ShipView[];
  bullets: BulletView[];
  happenings: Happening[];
}

interface Shot extends BulletView {
  x0: number;
  y0: number;
  rowX: number; // where its row was last, and since which tick it has not moved
  rowY: number;
  since: number;
  speed: number; // units a tick
}

interface Waiting {
  tick: number;
  happening: Happening;
}

/** For how many ticks a bullet flies on while its row stands still: in its last tick it has no later place to go to. */
const COAST = 1.5;
/** Within how many units, and ticks' flights, an own bullet that comes is the one that goes: the server's row takes over. */
const TAKEOVER = 60;
const MOST_WAITING = 512;

/** Remembers from one moment to the next what is needed to tell what has happened. */
export class Scene {
  readonly #speed: number; // of a bullet, units a tick
  #shots = new Map<number, Shot>();
  #waiting: Waiting[] = [];
  #fallen = new Map<number, number>(); // seats whose end was shown before their rows say it, by the tick that says it
  #tick = Number.NEGATIVE_INFINITY;

  /** rate is the room's ticks in a second. */
  constructor(rate: number) {
    this.#speed = BULLET_SPEED / rate;
  }

  /**
   * Takes an event of the game; those that nobody can see are let go. What the own seat does or suffers is shown at once:
   * its own ship is ahead of the others.
   */
  event(tick: number, name: string, fields: { [name: string]: unknown }, own: number): void {
    const seat = (key: string) => Number(fields[key] ?? 0);
    const [victim, by] = [seat("Victim"), seat("By")];
    const mine = victim === own || by === own;
    switch (name) {
      case "Hit":
        this.#wait(mine ? 0 : tick, { kind: "hit", victim, by });
        break;
      case "Kill":
        this.#wait(mine ? 0 : tick, { kind: "kill", victim, by });
        if (mine) this.#fallen.set(victim, tick);
        break;
      case "Spawned":
        this.#wait(seat("Seat") === own ? 0 : tick, { kind: "spawn", seat: seat("Seat") });
        break;
    }
  }

  /** Forgets everything, as when another room begins or the room goes on from an earlier state. */
  clear(): void {
    this.#shots.clear();
    this.#waiting = [];
    this.#fallen.clear();
    this.#tick = Number.NEGATIVE_INFINITY;
  }

  /** What is to be drawn of some rows, for the player in a seat. */
  show(rows: ShownRows, own: number): Moment {
    if (rows.tick < this.#tick) this.clear();
    this.#tick = rows.tick;
    const ships: ShipView[] = [];
    const courses = new Map<number, number>();
    for (const [seat, at] of this.#fallen) if (at <= rows.tick) this.#fallen.delete(seat);
    for (const [, r] of rows.Ships) {
      courses.set(r.Owner, r.Angle);
      const hp = this.#fallen.has(r.Owner) ? 0 : r.HP;
      ships.push({ seat: r.Owner, name: r.Name, x: r.X, y: r.Y, angle: r.Angle, hp, thrust: r.Thrust, shield: r.Shield, away: r.Away });
    }
    const happenings = this.#due(rows.tick);
    const bullets = this.#bullets(rows, own, courses, happenings);
    return { ships, bullets, happenings };
  }

  #wait(tick: number, happening: Happening): void {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push({ tick, happening });
  }

  #due(tick: number): Happening[] {
    const list: Happening[] = [];
    this.#waiting = this.#waiting.filter((w) => {
      if (w.tick <= tick) list.push(w.happening);
      return w.tick > tick;
    });
    return list;
  }

  #bullets(rows: ShownRows, own: number, courses: ReadonlyMap<number, number>, happenings: Happening[]): BulletView[] {
    const before = this.#shots;
    const now = new Map<number, Shot>();
    const fresh: [number, Bullet][] = [];
    for (const [id, row] of rows.Bullets) {
      const shot = before.get(id);
      if (!shot) {
        fresh.push([id, row]);
        continue;
      }
      before.delete(id);
      now.set(id, this.#fly(shot, row, rows.tick));
    }
    for (const [id, row] of fresh) {
      const old = row.Owner === own ? taken(before, row) : undefined;
      if (old) {
        before.delete(old.id);
        now.set(id, this.#fly(old.shot, row, rows.tick));
        continue;
      }
      const angle = courses.get(row.Owner) ?? 0;
      const shot = this.#begin(row, angle, rows.tick);
      now.set(id, shot);
      happenings.push({ kind: "shot", owner: row.Owner, x: row.X, y: row.Y, dx: shot.dx, dy: shot.dy });
    }
    for (const s of before.values()) happenings.push({ kind: "gone", owner: s.owner, x: s.x, y: s.y, dx: s.dx, dy: s.dy });
    this.#shots = now;
    return [...now.values()];
  }

  #begin(row: Bullet, angle: number, tick: number): Shot {
    return {
      owner: row.Owner, x: row.X, y: row.Y, dx: Math.cos(angle), dy: Math.sin(angle), flown: 0, x0: row.X, y0: row.Y,
      rowX: row.X, rowY: row.Y, since: tick, speed: this.#speed,
    };
  }

  /** Takes a bullet's newer row. Two places tell its course; the farther they are apart, the better. */
  #fly(s: Shot, row: Bullet, tick: number): Shot {
    const far = Math.hypot(row.X - s.x0, row.Y - s.y0);
    if (far > 4) {
      s.dx = (row.X - s.x0) / far;
      s.dy = (row.Y - s.y0) / far;
    }
    const moved = row.X !== s.rowX || row.Y !== s.rowY;
    if (moved) s.since = tick;
    const coast = Math.min(COAST, tick - s.since) * s.speed;
    s.rowX = row.X;
    s.rowY = row.Y;
    s.x = row.X + s.dx * coast;
    s.y = row.Y + s.dy * coast;
    s.flown = far + coast;
    return s;
  }
}

/** Of the own bullets that have no row any more, the one that a new row goes on with. */
function taken(shots: ReadonlyMap<number, Shot>, row: Bullet): { id: number; shot: Shot } | undefined {
  let best: { id: number; shot: Shot } | undefined;
  let near = TAKEOVER;
  for (const [id, shot] of shots) {
    const far = Math.hypot(shot.x - row.X, shot.y - row.Y);
    if (shot.owner === row.Owner && far < near) {
      near = far;
      best = { id, shot };
    }
  }
  return best;
}
