// The own line while it is drawn: points as they come, without those that add nothing.

import type { Point } from "./camera.ts";
import { BOARD } from "./world.ts";

const LEAST = 1.5; // pixels of the screen between two points

/** How wide a line is that is drawn with a pen: as wide as chosen with half of the pressure. */
export function pressed(width: number, pressure: number | undefined, most: number): number {
  if (pressure === undefined || pressure <= 0) return width;
  return Math.max(1, Math.min(most, Math.round(width * (0.4 + 1.2 * pressure))));
}

/** A point in whole units on the board. */
export function onBoard({ x, y }: Point): [number, number] {
  const within = (v: number, from: number, to: number) => Math.max(from, Math.min(to, Math.round(v)));
  return [within(x, BOARD.left, BOARD.right), within(y, BOARD.top, BOARD.bottom)];
}

/** A line in the making. */
export class Ink {
  readonly colour: number;
  readonly width: number;
  /** x and y in turn, in units of the board. */
  readonly points: number[] = [];
  #sent = 0; // numbers that were taken

  constructor(colour: number, width: number) {
    this.colour = colour;
    this.width = width;
  }

  /** Adds a point; false where it is too near to the last one. scale is pixels for a unit. */
  add(p: Point, scale: number, least = LEAST): boolean {
    const [x, y] = onBoard(p);
    const n = this.points.length;
    if (n > 0 && Math.hypot(x - this.points[n - 2]!, y - this.points[n - 1]!) * scale < least) return false;
    if (n > 0 && x === this.points[n - 2] && y === this.points[n - 1]) return false;
    this.points.push(x, y);
    return true;
  }

  /** The points that were not taken before. */
  take(): number[] {
    const fresh = this.points.slice(this.#sent);
    this.#sent = this.points.length;
    return fresh;
  }
}
