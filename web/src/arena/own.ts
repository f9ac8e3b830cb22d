// The own ship, ahead of the server, in the place of its row among those that are shown.

import type { FrameInfo, Match } from "@muster/client";
import { Predictor } from "./predict.ts";
import type { Events, Input, Ship, World } from "./world.ts";

export class OwnShip {
  readonly #match: Match<World, Input, Events>;
  readonly #predictor: Predictor;
  #before: { id: number; tick: number; row: Ship } | undefined;

  constructor(match: Match<World, Input, Events>) {
    this.#match = match;
    this.#predictor = new Predictor(match.info.rate);
  }

  frame(frame: FrameInfo): void {
    const { tables, info } = this.#match;
    let now: { id: number; tick: number; row: Ship } | undefined;
    for (const [id, row] of tables.Ships) if (row.Owner === info.seat) now = { id, tick: frame.tick, row: { ...row } };
    const before = this.#before;
    this.#before = now;
    if (!now || now.row.HP === 0) return this.#predictor.clear();
    const known = before && before.id === now.id && before.row.HP > 0 && now.tick > before.tick;
    const perSecond = known ? info.rate / (now.tick - before.tick) : 0;
    this.#predictor.state(
      {
        x: now.row.X, y: now.row.Y, angle: now.row.Angle,
        vx: known ? (now.row.X - before.row.X) * perSecond : 0, vy: known ? (now.row.Y - before.row.Y) * perSecond : 0,
      },
      frame.processed, performance.now(),
    );
  }

  sent(input: Input, now: number): void {
    this.#predictor.sent(input, now);
  }

  show(ships: ReadonlyMap<number, Ship>, now: number): ReadonlyMap<number, Ship> {
    const own = this.#before;
    const pose = own && own.row.HP > 0 ? this.#predictor.pose(now) : undefined;
    if (!own) return ships;
    return new Map(ships).set(own.id, pose ? { ...own.row, X: pose.x, Y: pose.y, Angle: pose.angle } : own.row);
  }
}
