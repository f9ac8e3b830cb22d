// Rows between two states of a world that this page plays by itself. In a match the client library does this.

import { turn } from "./pose.ts";
import type { Bullet, Ship } from "./world.ts";

/** A state's rows. */
export interface Rows {
  Ships: ReadonlyMap<number, Ship>;
  Bullets: ReadonlyMap<number, Bullet>;
}

/** Copies rows, before the world goes on in place. */
export function copy(rows: Rows): Rows {
  const each = <R extends object>(table: ReadonlyMap<number, R>) => new Map([...table].map(([id, row]) => [id, { ...row }]));
  return { Ships: each(rows.Ships), Bullets: each(rows.Bullets) };
}

/** The rows at some part of the way from one state to the next, 0 to 1. */
export function between(from: Rows, to: Rows, part: number): Rows {
  const mix = <R extends { X: number; Y: number }>(a: ReadonlyMap<number, R>, b: ReadonlyMap<number, R>) => {
    const rows = new Map<number, R>();
    for (const [id, x] of a) {
      const y = b.get(id);
      rows.set(id, y ? { ...x, X: x.X + (y.X - x.X) * part, Y: x.Y + (y.Y - x.Y) * part } : x);
    }
    return rows;
  };
  const Ships = mix(from.Ships, to.Ships);
  for (const [id, row] of Ships) {
    const next = to.Ships.get(id);
    if (next) row.Angle += turn(row.Angle, next.Angle) * part;
  }
  return { Ships, Bullets: mix(from.Bullets, to.Bullets) };
}
