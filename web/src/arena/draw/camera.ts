// Where the picture looks. World units in, CSS pixels out.

/** How many square units a window shows. It is the same for everybody, so that a large screen is no advantage. */
const AREA = 900 * 540;
/** How much of what is seen may lie beyond a wall, as a part of half the window: the own ship stays clear of the corners. */
const BEYOND = 0.45;
const BEYOND_UPRIGHT = 0.6; // where the corners take more of the window

export class Camera {
  width = 1; // CSS pixels
  height = 1;
  zoom = 1; // below 1 more is seen; for pictures that nobody plays in
  size = 1000; // units of the field's side
  x = 500; // units: the middle of the picture
  y = 500;
  #fit = 1; // CSS pixels for a unit without the zoom
  #shakeX = 0;
  #shakeY = 0;
  #trauma = 0;

  resize(width: number, height: number): void {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.#fit = Math.sqrt((this.width * this.height) / AREA);
  }

  /** CSS pixels for a unit. */
  get scale(): number {
    return this.#fit * this.zoom;
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
    this.x = within(x, this.halfWidth, beyond, this.size);
    this.y = within(y, this.halfHeight, beyond, this.size);
  }

  /** Shakes, from 0 (not) to 1 (much). */
  shake(force: number): void {
    this.#trauma = Math.min(1, this.#trauma + Math.max(0, force));
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

  /** Where a place is in the window, in CSS pixels, without the shaking. */
  onScreen(x: number, y: number): { x: number; y: number } {
    return { x: (x - this.x) * this.scale + this.width / 2, y: (y - this.y) * this.scale + this.height / 2 };
  }

  /** Says whether something at a place, of this size, could be seen. */
  sees(x: number, y: number, size: number): boolean {
    return Math.abs(x - this.x) < this.halfWidth + size && Math.abs(y - this.y) < this.halfHeight + size;
  }
}

/** Keeps one axis of the middle so that a window of this half does not look far beyond the walls. */
function within(at: number, half: number, beyond: number, size: number): number {
  const least = half * (1 - beyond);
  const most = size - least;
  return least > most ? size / 2 : Math.min(most, Math.max(least, at));
}
