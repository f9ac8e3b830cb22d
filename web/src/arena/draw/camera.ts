// Where the picture looks. World units in, CSS pixels out.

import { SIZE } from "../world.ts";

/** How many square units a window shows. It is the same for everybody, so that a large screen is no advantage. */
const AREA = 900 * 540;
/** How much of what is seen may lie beyond a wall, as a part of half the window: the own ship stays clear of the corners. */
const BEYOND = 0.45;
const BEYOND_UPRIGHT = 0.6; // where the corners take more of the window

export class Camera {
  width = 1; // CSS pixels
  height = 1;
  scale = 1; // CSS pixels for a unit
  x = SIZE / 2; // units: the middle of the picture
  y = SIZE / 2;
  #shakeX = 0;
  #shakeY = 0;
  #trauma = 0;

  resize(width: number, height: number): void {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.scale = Math.sqrt((this.width * this.height) / AREA);
  }

  /** Half of what is seen, in units. */
  get halfWidth(): number {
    return this.width / this.scale / 2;
  }

  get halfHeight(): number {
    return this.height / this.scale / 2;
  }

  /** Looks at a place, but not far beyond the walls. */
  look(x: number, y: number): void {
    const beyond = this.width < this.height ? BEYOND_UPRIGHT : BEYOND;
    this.x = within(x, this.halfWidth, beyond);
    this.y = within(y, this.halfHeight, beyond);
  }

  /** Shakes, from 0 (not) to 1 (much). */
  shake(force: number): void {
    this.#trauma = Math.min(1, this.#trauma + force);
  }

  /** Lets the shaking fade. */
  advance(dt: number, now: number): void {
    this.#trauma = Math.max(0, this.#trauma - dt * 1.8);
    const far = this.#trauma * this.#trauma * 11;
    this.#shakeX = far * Math.sin(now / 17);
    this.#shakeY = far * Math.sin(now / 13 + 1);
  }

  /** Makes units the coordinates of a context that is scaled by the device's pixel ratio. */
  apply(ctx: CanvasRenderingContext2D, ratio: number): void {
    const s = this.scale * ratio;
    ctx.setTransform(
      s, 0, 0, s,
      (this.width / 2 + this.#shakeX - this.x * this.scale) * ratio,
      (this.height / 2 + this.#shakeY - this.y * this.scale) * ratio,
    );
  }

  /** Says whether something at a place, of this size, could be seen. */
  sees(x: number, y: number, size: number): boolean {
    return Math.abs(x - this.x) < this.halfWidth + size && Math.abs(y - this.y) < this.halfHeight + size;
  }
}

/** Keeps one axis of the middle so that a window of this half does not look far beyond the walls. */
function within(at: number, half: number, beyond: number): number {
  const least = half * (1 - beyond);
  const most = SIZE - least;
  return least > most ? SIZE / 2 : Math.min(most, Math.max(least, at));
}
