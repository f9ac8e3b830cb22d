// The drawing on the screen: finished lines from a picture that is kept, and over it the line that is being drawn. A
// change paints what it touches; a camera that moves shows the picture moved at once, while the next one is painted.

import type { Theme } from "../shared/theme.ts";
import { type Box, Camera, union } from "./camera.ts";
import { Layer } from "./layer.ts";
import { paintStroke } from "./paint.ts";
import { boxOf, type Stroke, Strokes } from "./strokes.ts";

const BUDGET = 7; // ms of a picture for painting lines
// Browsers paint later than they are told to, so that the clock does not show what lines cost: fewer of them are painted
// at once where pictures come late.
const LINES = { least: 40, first: 300, most: 6000 };
const LATE_MS = 34;
const MARGIN = 0.2; // of the screen's shorter side, on each side
const MOST_RATIO = 2;

/** The line that is being drawn, which is in no layer. */
export type Wet = Omit<Stroke, "key" | "order">;

export class Surface {
  readonly camera = new Camera();
  readonly strokes = new Strokes();
  /** Lines over the others: the own one that is being drawn. */
  wet: Wet[] = [];
  /** Called when a picture was drawn, in the same animation frame: for what lies over the canvas. */
  drawn: () => void = () => undefined;

  readonly #canvas: HTMLCanvasElement;
  readonly #c: CanvasRenderingContext2D;
  readonly #board: Box;
  #front: Layer;
  #back: Layer;
  #fresh = false; // whether there is anything in front
  #theme: Theme = "light";
  #stale = true; // front is not what the camera sees
  #frame = 0;
  #lines = LINES.first; // that are painted for a picture
  #drawnAt = 0; // when the last one was, if lines were painted for it; else 0
  #size = { width: 1, height: 1, ratio: 1 };
  readonly #resize: ResizeObserver;

  constructor(canvas: HTMLCanvasElement, board: Box) {
    this.#canvas = canvas;
    this.#board = board;
    this.#c = canvas.getContext("2d")!;
    this.#front = new Layer(board);
    this.#back = new Layer(board);
    this.#resize = new ResizeObserver(() => this.#measure());
    this.#resize.observe(canvas);
    this.#measure();
  }

  close(): void {
    this.#resize.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  get width(): number {
    return this.#size.width;
  }

  get height(): number {
    return this.#size.height;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    this.#stale = true;
    this.redraw();
  }

  /** Whether the picture that is kept is what the camera sees, with all its lines. */
  get settled(): boolean {
    return !this.#stale && this.#front.painted;
  }

  /** Adds a line, or puts it in the place of the one with its key. */
  put(stroke: Stroke): void {
    const before = this.strokes.get(stroke.key);
    const kept = this.strokes.put(stroke);
    if (!before && this.strokes.isTop(kept, kept.box)) for (const layer of this.#layers()) layer.add(kept);
    else if (before && grown(before, kept)) this.#dirty(boxOf(kept, (before.points.length >> 1) - 3));
    else this.#dirty(union(before?.box, kept.box));
    this.redraw();
  }

  remove(key: string): void {
    const gone = this.strokes.remove(key);
    if (gone) this.#dirty(gone.box);
    this.redraw();
  }

  /** Begins anew with other lines. */
  replace(strokes: Iterable<Stroke>): void {
    this.strokes.clear();
    for (const stroke of strokes) this.strokes.put(stroke);
    this.#stale = true;
    this.#fresh = false;
    this.redraw();
  }

  /** The camera was moved. */
  moved(): void {
    this.camera.keep(this.#board, this.width, this.height);
    this.#stale = true;
    this.redraw();
  }

  /** Shows all lines where the screen is free, or the middle of the board where there are none. Edges are in pixels. */
  fit(edge: { top: number; bottom: number; sides: number }): void {
    let box: Box | undefined;
    for (const s of this.strokes.all) box = union(box, s.box);
    const { left, right, top, bottom } = this.#board;
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const free = { left: edge.sides, top: edge.top, right: this.width - edge.sides, bottom: this.height - edge.bottom };
    const narrow = free.bottom - free.top < MARGIN * this.height || free.right <= free.left;
    const middle = { left: x - 1, right: x + 1, top: y - 1, bottom: y + 1 };
    this.camera.fit(box ?? middle, this.width, this.height, narrow ? undefined : free);
    this.moved();
  }

  /** Draws in the next animation frame. */
  redraw(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  /** The layers that changes are to be drawn in. */
  *#layers(): Iterable<Layer> {
    yield this.#front;
    if (this.#stale) yield this.#back;
  }

  #dirty(box: Box): void {
    for (const layer of this.#layers()) layer.repaint(box, this.strokes);
  }

  #measure(): void {
    const box = this.#canvas.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) return; // hidden
    const ratio = Math.min(MOST_RATIO, devicePixelRatio || 1);
    const { width, height } = this.#size;
    // What is in the middle stays there.
    if (width > 1) this.camera.pan((box.width - width) / 2, (box.height - height) / 2);
    this.#size = { width: box.width, height: box.height, ratio };
    this.#stale = true;
    this.redraw();
  }

  #draw(now: number): void {
    this.#frame = 0;
    if (this.#drawnAt > 0) {
      const late = now - this.#drawnAt > LATE_MS;
      this.#lines = Math.max(LINES.least, Math.min(LINES.most, this.#lines * (late ? 0.6 : 1.25)));
    }
    this.#drawnAt = this.#stale ? now : 0;
    this.#advance();
    const { width, height, ratio } = this.#size;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#canvas.width !== w || this.#canvas.height !== h) [this.#canvas.width, this.#canvas.height] = [w, h];
    const c = this.#c;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, w, h);
    const { camera } = this.#front;
    const by = this.camera.scale / camera.scale;
    const at = this.camera.toScreen(camera);
    // Where the scale is the same, whole pixels keep it sharp.
    const round = by === 1 ? Math.round : (v: number) => v;
    c.imageSmoothingEnabled = by !== 1;
    c.setTransform(by, 0, 0, by, round(at.x * ratio), round(at.y * ratio));
    c.drawImage(this.#front.picture, 0, 0);
    const s = this.camera.scale * ratio;
    c.setTransform(s, 0, 0, s, -this.camera.x * s, -this.camera.y * s);
    for (const stroke of this.wet) paintStroke(c, stroke, s, this.#theme);
    this.drawn();
    if (this.#stale) this.redraw();
  }

  /** Goes on with the picture of what the camera sees. One that has been begun is finished, so that hands that move on see it. */
  #advance(): void {
    if (!this.#stale) return;
    const { width, height, ratio } = this.#size;
    if (this.#back.painted) this.#back.begin(this.camera, width, height, MARGIN * Math.min(width, height), ratio, this.strokes, this.#theme);
    if (!this.#back.paint(Math.round(this.#lines), BUDGET, this.strokes) && this.#fresh) return;
    // The very first one is shown while it grows.
    if (!this.#back.painted) {
      this.#front = this.#back;
      return;
    }
    const done = this.#back;
    this.#back = this.#front === done ? new Layer(this.#board) : this.#front;
    this.#front = done;
    this.#fresh = true;
    this.#stale = !this.#shows(done);
  }

  /** Whether a layer is what the camera sees now. */
  #shows(layer: Layer): boolean {
    const { width, height } = this.#size;
    const margin = MARGIN * Math.min(width, height);
    const { camera } = layer;
    const off = Math.hypot(camera.x + margin / camera.scale - this.camera.x, camera.y + margin / camera.scale - this.camera.y);
    return camera.scale === this.camera.scale && off * camera.scale < 0.5 && layer.fits(width, height, margin, this.#theme);
  }
}

/** Whether a line is another one that goes on. */
function grown(before: Stroke, after: Stroke): boolean {
  return before.order === after.order && before.colour === after.colour && before.width === after.width && after.points.length >= before.points.length;
}
