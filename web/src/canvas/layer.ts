// The drawing as it is seen by one camera, in a picture of its own that is larger than the screen, so that the hand can
// move it without drawing it anew. It is painted bit by bit: ten thousand lines take longer than one picture may.

import type { Theme } from "../shared/theme.ts";
import { type Box, Camera, meet } from "./camera.ts";
import { paintPaper, paintStroke } from "./paint.ts";
import type { Kept, Strokes } from "./strokes.ts";

const AT_ONCE = 16; // lines between two looks at the clock

export class Layer {
  readonly camera = new Camera();
  readonly #canvas = document.createElement("canvas");
  readonly #c: CanvasRenderingContext2D;
  readonly #board: Box;
  #ratio = 1;
  #theme: Theme = "light";
  #todo: Kept[] | undefined; // from #next on; undefined: it is painted
  #next = 0;
  #late: Box[] = []; // what has changed since it was begun

  constructor(board: Box) {
    this.#board = board;
    this.#c = this.#canvas.getContext("2d", { alpha: true })!;
  }

  get picture(): HTMLCanvasElement {
    return this.#canvas;
  }

  get painted(): boolean {
    return this.#todo === undefined;
  }

  /** What of the world is in it. */
  get box(): Box {
    const { width, height } = this.#canvas;
    return this.camera.view(width / this.#ratio, height / this.#ratio);
  }

  /** Whether it was begun for a screen of such a size, in such a theme. */
  fits(width: number, height: number, margin: number, theme: Theme): boolean {
    const { width: w, height: h } = this.#canvas;
    const [wide, high] = [Math.ceil((width + 2 * margin) * this.#ratio), Math.ceil((height + 2 * margin) * this.#ratio)];
    return w === wide && h === high && theme === this.#theme;
  }

  /** Begins to paint what a camera sees and a margin around it. Sizes are in CSS pixels. */
  begin(camera: Camera, width: number, height: number, margin: number, ratio: number, strokes: Strokes, theme: Theme): void {
    const [w, h] = [Math.ceil((width + 2 * margin) * ratio), Math.ceil((height + 2 * margin) * ratio)];
    if (this.#canvas.width !== w || this.#canvas.height !== h) [this.#canvas.width, this.#canvas.height] = [w, h];
    this.#ratio = ratio;
    this.#theme = theme;
    this.camera.scale = camera.scale;
    this.camera.x = camera.x - margin / camera.scale;
    this.camera.y = camera.y - margin / camera.scale;
    const c = this.#c;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, w, h);
    this.#place();
    paintPaper(c, this.#board, this.box, this.#scale, theme);
    this.#todo = strokes.within(this.box);
    this.#next = 0;
    this.#late = [];
  }

  /** Goes on with some lines, for some ms; true when it is painted. */
  paint(lines: number, ms: number, strokes: Strokes, now: () => number = () => performance.now()): boolean {
    if (!this.#todo) return true;
    const end = now() + ms;
    const last = Math.min(this.#todo.length, this.#next + lines);
    while (this.#next < last) {
      for (const stop = Math.min(last, this.#next + AT_ONCE); this.#next < stop; this.#next++) {
        paintStroke(this.#c, this.#todo[this.#next]!, this.#scale, this.#theme);
      }
      if (now() >= end) break;
    }
    if (this.#next < this.#todo.length) return false;
    this.#todo = undefined;
    const late = this.#late;
    this.#late = [];
    for (const box of late) this.repaint(box, strokes);
    return true;
  }

  /** Draws a line on top of what is there. */
  add(stroke: Kept): void {
    if (this.#todo) this.#late.push(stroke.box);
    else paintStroke(this.#c, stroke, this.#scale, this.#theme);
  }

  /** Paints a box of the world anew. */
  repaint(box: Box, strokes: Strokes): void {
    if (this.#todo) return void this.#late.push(box);
    if (!meet(box, this.box)) return;
    const c = this.#c;
    const grow = 1.5 / this.#scale;
    // On whole pixels, or the edge of the clip would be blended with what was there.
    const snap = (v: number, from: number, round: (v: number) => number) => round((v - from) * this.#scale) / this.#scale + from;
    const clip: Box = {
      left: snap(box.left - grow, this.camera.x, Math.floor), top: snap(box.top - grow, this.camera.y, Math.floor),
      right: snap(box.right + grow, this.camera.x, Math.ceil), bottom: snap(box.bottom + grow, this.camera.y, Math.ceil),
    };
    c.save();
    c.beginPath();
    c.rect(clip.left, clip.top, clip.right - clip.left, clip.bottom - clip.top);
    c.clip();
    c.clearRect(clip.left, clip.top, clip.right - clip.left, clip.bottom - clip.top);
    paintPaper(c, this.#board, clip, this.#scale, this.#theme);
    for (const stroke of strokes.within(clip)) paintStroke(c, stroke, this.#scale, this.#theme);
    c.restore();
  }

  /** Pixels of the picture for a unit of the world. */
  get #scale(): number {
    return this.camera.scale * this.#ratio;
  }

  #place(): void {
    const s = this.#scale;
    this.#c.setTransform(s, 0, 0, s, -this.camera.x * s, -this.camera.y * s);
  }
}
