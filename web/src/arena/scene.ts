// What is on the screen at a tick. The room's newest tables go in with each frame; ships, bullets and happenings come
// out for the moment that the playhead shows, so that a ship explodes where and when it is seen to be hit.

import type { Pose } from "./pose.ts";
import { Track } from "./smooth.ts";
import { BULLET_SPEED, MAX_SPEED, SIZE, type Bullet, type Ship, type World } from "./world.ts";

/** The tables that a scene reads, as the client library has them. */
export type Tables = { [K in "Ships" | "Bullets"]: Iterable<[number, World[K]]> };

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

interface Look {
  tick: number;
  hp: number;
  thrust: boolean;
  shield: boolean;
  away: boolean;
}

interface ShipTrack {
  seat: number;
  name: string;
  track: Track;
  looks: Look[];
  end: number; // the tick from which it is gone
}

interface Shot {
  owner: number;
  born: number;
  x0: number;
  y0: number;
  vx: number; // units a tick
  vy: number;
  x: number;
  y: number;
  tick: number; // of x, y
  end: number;
  seen: boolean;
}

const NEVER = Number.POSITIVE_INFINITY;
const KEPT_LOOKS = 16;
/** How many ticks a bullet flies on without news. */
const BULLET_AHEAD = 3;
/** Within how many ticks own bullets fall back from the own ship's time to everybody's. */
const OWN_FADE = 10;

/** The recent past of a room, drawn at a playhead. */
export class Scene {
  readonly #rate: number;
  readonly #ships = new Map<number, ShipTrack>();
  readonly #shots = new Map<number, Shot>();
  #waiting: { tick: number; happening: Happening }[] = [];
  #newest = -1;

  constructor(rate: number) {
    this.#rate = rate;
  }

  /** Takes the tables as they are at a tick. */
  frame(tick: number, tables: Tables): void {
    if (tick < this.#newest) this.clear(); // the room goes on from an earlier state: what came after is not true
    this.#newest = tick;
    const ships = new Set<number>();
    const courses = new Map<number, number>();
    for (const [id, row] of tables.Ships) {
      ships.add(id);
      courses.set(row.Owner, row.Angle);
      this.#ship(tick, id, row);
    }
    for (const [id, ship] of this.#ships) if (!ships.has(id)) ship.end = Math.min(ship.end, tick);
    const shots = new Set<number>();
    for (const [id, row] of tables.Bullets) {
      shots.add(id);
      this.#shot(tick, id, row, courses.get(row.Owner) ?? 0);
    }
    for (const [id, shot] of this.#shots) if (!shots.has(id)) shot.end = Math.min(shot.end, tick);
  }

  /** Takes an event of the game; those that nobody can see are let go. */
  event(tick: number, name: string, fields: { [name: string]: unknown }): void {
    const seat = (key: string) => Number(fields[key] ?? 0);
    switch (name) {
      case "Hit":
        this.#waiting.push({ tick, happening: { kind: "hit", victim: seat("Victim"), by: seat("By") } });
        break;
      case "Kill":
        this.#waiting.push({ tick, happening: { kind: "kill", victim: seat("Victim"), by: seat("By") } });
        break;
      case "Spawned":
        this.#waiting.push({ tick, happening: { kind: "spawn", seat: seat("Seat") } });
        break;
    }
  }

  /** Forgets everything, as when another room begins. */
  clear(): void {
    this.#ships.clear();
    this.#shots.clear();
    this.#waiting = [];
    this.#newest = -1;
  }

  /** Returns what has happened up to a tick, once, and lets go of what is past. */
  happened(tick: number): Happening[] {
    const list: Happening[] = [];
    this.#waiting = this.#waiting.filter((w) => {
      if (w.tick <= tick) list.push(w.happening);
      return w.tick > tick;
    });
    for (const [id, s] of this.#shots) {
      if (s.end > tick) continue;
      this.#shots.delete(id);
      const at = position(s, s.end);
      list.push({ kind: "gone", owner: s.owner, ...inside(at), ...heading(s) });
    }
    for (const [id, ship] of this.#ships) if (ship.end <= tick) this.#ships.delete(id);
    return list;
  }

  /** The ships at a tick. */
  ships(tick: number): ShipView[] {
    const list: ShipView[] = [];
    for (const { seat, name, track, looks } of this.#ships.values()) {
      const pose = track.at(tick);
      if (!pose || track.oldest! > tick) continue;
      let i = looks.length - 1;
      while (i > 0 && looks[i]!.tick > tick) i--;
      const { hp, thrust, shield, away } = looks[i]!;
      list.push({ seat, name, ...pose, hp, thrust, shield, away });
    }
    return list;
  }

  /**
   * The bullets at a tick, and the shots among them that are seen for the first time. Those of the own seat leave a
   * ship that is drawn some ticks ahead of the others: they start as far ahead and fall back on their way.
   */
  bullets(tick: number, own: number, ahead: number): { bullets: BulletView[]; shots: Happening[] } {
    const bullets: BulletView[] = [];
    const shots: Happening[] = [];
    for (const s of this.#shots.values()) {
      let at = tick;
      // The clocks start together at the nose and meet again after the fade.
      if (s.owner === own) at = Math.max(tick, Math.min(tick + ahead, s.born + ((tick + ahead - s.born) * OWN_FADE) / (OWN_FADE + ahead)));
      if (at < s.born || at >= s.end) continue;
      const to = inside(position(s, at));
      const dir = heading(s);
      if (!s.seen) {
        s.seen = true;
        shots.push({ kind: "shot", owner: s.owner, x: s.x0, y: s.y0, ...dir });
      }
      bullets.push({ owner: s.owner, ...to, ...dir, flown: Math.hypot(to.x - s.x0, to.y - s.y0) });
    }
    return { bullets, shots };
  }

  #ship(tick: number, id: number, row: Ship): void {
    let ship = this.#ships.get(id);
    if (!ship || ship.end !== NEVER) {
      const reach = (1.3 * MAX_SPEED) / this.#rate; // collisions push ships a little beyond their speed
      ship = { seat: row.Owner, name: row.Name, track: new Track({ reach, ahead: 1.5 }), looks: [], end: NEVER };
      this.#ships.set(id, ship);
    }
    const before = ship.looks.at(-1);
    const respawned = before !== undefined && before.hp === 0 && row.HP > 0;
    ship.track.push(tick, { x: row.X, y: row.Y, angle: row.Angle }, respawned);
    ship.looks.push({ tick, hp: row.HP, thrust: row.Thrust, shield: row.Shield, away: row.Away });
    if (ship.looks.length > KEPT_LOOKS) ship.looks.shift();
  }

  #shot(tick: number, id: number, row: Bullet, course: number): void {
    const s = this.#shots.get(id);
    if (s && s.end === NEVER) {
      // Two places tell the course; the farther they are apart, the better.
      if (tick > s.born) {
        s.vx = (row.X - s.x0) / (tick - s.born);
        s.vy = (row.Y - s.y0) / (tick - s.born);
      }
      s.x = row.X;
      s.y = row.Y;
      s.tick = tick;
      return;
    }
    const v = BULLET_SPEED / this.#rate;
    this.#shots.set(id, {
      owner: row.Owner, born: tick, x0: row.X, y0: row.Y, vx: v * Math.cos(course), vy: v * Math.sin(course),
      x: row.X, y: row.Y, tick, end: NEVER, seen: false,
    });
  }
}

/** Where a bullet is at a tick: they fly straight on. */
function position(s: Shot, tick: number): { x: number; y: number } {
  const t = Math.min(tick, s.tick + BULLET_AHEAD) - s.tick;
  return { x: s.x + s.vx * t, y: s.y + s.vy * t };
}

function heading(s: Shot): { dx: number; dy: number } {
  const v = Math.hypot(s.vx, s.vy) || 1;
  return { dx: s.vx / v, dy: s.vy / v };
}

function inside({ x, y }: { x: number; y: number }): { x: number; y: number } {
  return { x: Math.min(SIZE, Math.max(0, x)), y: Math.min(SIZE, Math.max(0, y)) };
}
