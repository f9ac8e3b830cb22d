// What keys do on the drawing: they steer a pointer of their own, lower and lift its pen, and choose tools.

import type { Point } from "./camera.ts";

/** How a key moves the pointer, in pixels of the screen; undefined for a key that does not. */
export function moveOf(e: Pick<KeyboardEvent, "key" | "shiftKey" | "altKey">): Point | undefined {
  const far = e.shiftKey ? 64 : e.altKey ? 2 : 12;
  switch (e.key) {
    case "ArrowLeft":
      return { x: -far, y: 0 };
    case "ArrowRight":
      return { x: far, y: 0 };
    case "ArrowUp":
      return { x: 0, y: -far };
    case "ArrowDown":
      return { x: 0, y: far };
    default:
      return undefined;
  }
}

/** By how much to move the paper so that a place of the screen is no nearer than a margin to its edge. */
export function intoSight({ x, y }: Point, width: number, height: number, margin: number): Point {
  const by = (v: number, most: number) => {
    const m = Math.min(margin, most / 2);
    return v < m ? m - v : v > most - m ? most - m - v : 0;
  };
  return { x: by(x, width), y: by(y, height) };
}
