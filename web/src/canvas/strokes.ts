// The lines of the drawing as they are shown, in their order, with the boxes that they fill.

import { type Box, meet, type Point } from "./camera.ts";

/** A line: x and y of its points in turn, in units of the board. One point is a dot. */
export interface Stroke {
  readonly key: string;
  /** Later ones lie above: compared by order, then by key. */
  readonly order: number;
  readonly colour: number;
  readonly width: number;
  readonly points: ArrayLike<number>;
}

/** A stroke with the box that it fills. */
export interface Kept extends Stroke {
  readonly box: Box;
}

/** The box of some of a line's points, from one on, with the line's width. */
export function boxOf({ points, width }: Pick<Stroke, "points" | "width">, from = 0): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 2 * Math.max(0, from); i + 1 < points.length; i += 2) {
    const [x, y] = [points[i]!, points[i + 1]!];
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  const half = width / 2;
  return { left: left - half, top: top - half, right: right + half, bottom: bottom + half };
}

/** Whether a line passes within some units of a place. */
export function touches({ points, width, box }: Kept, { x, y }: Point, reach: number): boolean {
  const far = reach + width / 2;
  if (x < box.left - reach || x > box.right + reach || y < box.top - reach || y > box.bottom + reach) return false;
  if (points.length === 2) return Math.hypot(points[0]! - x, points[1]! - y) <= far;
  for (let i = 0; i + 3 < points.length; i += 2) {
    if (distance(x, y, points[i]!, points[i + 1]!, points[i + 2]!, points[i + 3]!) <= far) return true;
  }
  return false;
}

/** From a place to a straight line between two others. */
function distance(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(ax + t * dx - x, ay + t * dy - y);
}

export class Strokes {
  readonly #byKey = new Map<string, Kept>();
  #list: Kept[] = []; // in their order

  get size(): number {
    return this.#list.length;
  }

  /** All of them, the lowest first. */
  get all(): readonly Kept[] {
    return this.#list;
  }

  get(key: string): Kept | undefined {
    return this.#byKey.get(key);
  }

  /** Adds a line, or takes it for the one of the same key. */
  put(stroke: Stroke): Kept {
    const before = this.#byKey.get(stroke.key);
    const kept: Kept = { ...stroke, box: boxOf(stroke) };
    this.#byKey.set(kept.key, kept);
    if (before && before.order === kept.order) this.#list[this.#place(before)] = kept;
    else {
      if (before) this.#list.splice(this.#place(before), 1);
      this.#list.splice(this.#place(kept), 0, kept);
    }
    return kept;
  }

  remove(key: string): Kept | undefined {
    const gone = this.#byKey.get(key);
    if (!gone) return undefined;
    this.#byKey.delete(key);
    this.#list.splice(this.#place(gone), 1);
    return gone;
  }

  clear(): void {
    this.#byKey.clear();
    this.#list = [];
  }

  /** The lines that may show in a box, the lowest first. */
  within(box: Box): Kept[] {
    return this.#list.filter((s) => meet(s.box, box));
  }

  /** The lines that pass within some units of a place, the uppermost first. */
  at(place: Point, reach: number): Kept[] {
    return this.#list.filter((s) => touches(s, place, reach)).reverse();
  }

  /** Whether no line that lies above one may show in a box. */
  isTop(stroke: Kept, box: Box): boolean {
    for (let i = this.#list.length - 1; i >= 0; i--) {
      const s = this.#list[i]!;
      if (s === stroke) return true;
      if (meet(s.box, box)) return false;
    }
    return true;
  }

  /** Where a line is, or where it belongs. */
  #place(stroke: Stroke): number {
    let [low, high] = [0, this.#list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (above(stroke, this.#list[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function above(a: Stroke, b: Stroke): boolean {
  return a.order > b.order || (a.order === b.order && a.key > b.key);
}
