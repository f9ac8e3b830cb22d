// What part of the drawing is on the screen: a place and a scale, both ways between the two.

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export const LEAST_SCALE = 0.05;
export const MOST_SCALE = 4;

/** Screen = (world - place) * scale; all in CSS pixels of the surface. */
export class Camera {
  /** The world's place that is in the upper left corner. */
  x = 0;
  y = 0;
  scale = 1;

  toWorld(p: Point): Point {
    return { x: p.x / this.scale + this.x, y: p.y / this.scale + this.y };
  }

  toScreen(p: Point): Point {
    return { x: (p.x - this.x) * this.scale, y: (p.y - this.y) * this.scale };
  }

  /** Moves what is seen by some pixels of the screen, as a hand moves paper. */
  pan(dx: number, dy: number): void {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
  }

  /** Scales so that what is at a place of the screen stays there. */
  zoom(by: number, at: Point): void {
    const fixed = this.toWorld(at);
    this.scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, this.scale * by));
    this.x = fixed.x - at.x / this.scale;
    this.y = fixed.y - at.y / this.scale;
  }

  /** Shows a box of the world in the middle of what is free of a screen, no larger than it is drawn. */
  fit(box: Box, width: number, height: number, free: Box = { left: 0, top: 0, right: width, bottom: height }): void {
    const [w, h] = [Math.max(1, box.right - box.left), Math.max(1, box.bottom - box.top)];
    const scale = Math.min((free.right - free.left) / w, (free.bottom - free.top) / h, 1);
    this.scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scale));
    this.x = (box.left + box.right) / 2 - (free.left + free.right) / 2 / this.scale;
    this.y = (box.top + box.bottom) / 2 - (free.top + free.bottom) / 2 / this.scale;
  }

  /** The part of the world that a screen shows. */
  view(width: number, height: number): Box {
    return { left: this.x, top: this.y, right: this.x + width / this.scale, bottom: this.y + height / this.scale };
  }

  /** Keeps the middle of a screen within a box of the world, so that nobody gets lost. */
  keep(world: Box, width: number, height: number): void {
    const [w, h] = [width / this.scale / 2, height / this.scale / 2];
    this.x = Math.min(world.right, Math.max(world.left, this.x + w)) - w;
    this.y = Math.min(world.bottom, Math.max(world.top, this.y + h)) - h;
  }
}

export function meet(a: Box, b: Box): boolean {
  return a.left <= b.right && b.left <= a.right && a.top <= b.bottom && b.top <= a.bottom;
}

export function union(a: Box | undefined, b: Box): Box {
  if (!a) return b;
  return {
    left: Math.min(a.left, b.left), top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right), bottom: Math.max(a.bottom, b.bottom),
  };
}
