// The own line while it is drawn: points as they come, without those that add nothing.

import type { Point } from "./camera.ts";
import { BOARD, MOST_WIDTH } from "./world.ts";

const LEAST = 1.5; // pixels of the screen between two points
const FEEL = 6; // points of a pen by which its line gets its width: the first ones have next to no pressure

/** How wide a line is that is drawn with a pen: as wide as chosen with half of the pressure. */
export function pressed(width: number, pressure: number): number {
  return Math.max(1, Math.min(MOST_WIDTH, Math.round(width * (0.4 + 1.2 * pressure))));
}

/** A point in whole units on the board. */
export function onBoard({ x, y }: Point): [number, number] {
  const within = (v: number, from: number, to: number) => Math.max(from, Math.min(to, Math.round(v)));
  return [within(x, BOARD.left, BOARD.right), within(y, BOARD.top, BOARD.bottom)];
}

/** A line in the making. */
export class Ink {
  readonly colour: number;
  /** x and y in turn, in units of the board. */
  readonly points: number[] = [];
  readonly #width: number;
  readonly #pressures: number[] = [];
  #sent = 0; // numbers that were taken

  constructor(colour: number, width: number) {
    this.colour = colour;
    this.#width = width;
  }

  /** As it is chosen, or as hard as the pen is pressed. It is for good once settled. */
  get width(): number {
    const felt = this.#pressures;
    return felt.length === 0 ? this.#width : pressed(this.#width, felt.reduce((sum, p) => sum + p, 0) / felt.length);
  }

  /** Whether the width will not change any more. */
  get settled(): boolean {
    return this.#pressures.length === 0 || this.#pressures.length === FEEL;
  }

  /**
   * Adds a point; false where it is too near to the last one. scale is pixels for a unit, pressure from 0 to 1 where there
   * is one.
   */
  add(p: Point, scale: number, pressure?: number, least = LEAST): boolean {
    const [x, y] = onBoard(p);
    const n = this.points.length;
    if (n > 0 && Math.hypot(x - this.points[n - 2]!, y - this.points[n - 1]!) * scale < least) return false;
    if (n > 0 && x === this.points[n - 2] && y === this.points[n - 1]) return false;
    this.points.push(x, y);
    if (pressure !== undefined && pressure > 0 && this.#pressures.length < FEEL) this.#pressures.push(pressure);
    return true;
  }

  /** The points that were not taken before. */
  take(): number[] {
    const fresh = this.points.slice(this.#sent);
    this.#sent = this.points.length;
    return fresh;
  }
}
