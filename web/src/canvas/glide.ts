// Where somebody's pointer is shown between two states: it glides from where it was shown to where it is now, in about
// the time that there is between two states.

import type { Point } from "./camera.ts";

const FAR = 1500; // units: it went somewhere else

export class Glide {
  #from: Point;
  #to: Point;
  #began: number;
  #takes: number; // ms

  constructor(at: Point) {
    this.#from = this.#to = at;
    this.#began = this.#takes = 0;
  }

  get target(): Point {
    return this.#to;
  }

  /** It is somewhere else from now on. */
  go(to: Point, now: number, takes: number): void {
    if (to.x === this.#to.x && to.y === this.#to.y) return;
    const from = this.at(now);
    const jump = takes <= 0 || Math.hypot(to.x - from.x, to.y - from.y) > FAR;
    this.#from = jump ? to : from;
    this.#to = to;
    this.#began = now;
    this.#takes = jump ? 0 : takes;
  }

  at(now: number): Point {
    const t = this.#takes > 0 ? Math.max(0, Math.min(1, (now - this.#began) / this.#takes)) : 1;
    return { x: this.#from.x + (this.#to.x - this.#from.x) * t, y: this.#from.y + (this.#to.y - this.#from.y) * t };
  }

  /** Whether it is still on its way. */
  moving(now: number): boolean {
    return this.#takes > 0 && now < this.#began + this.#takes;
  }
}
