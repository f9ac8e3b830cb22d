// The drawing on the page: hands and keys become lines of the room, and the room's lines are shown.

import { byId, setText, show } from "../shared/dom.ts";
import type { Prefs } from "../shared/prefs.ts";
import { onTheme } from "../shared/theme.ts";
import type { Point } from "./camera.ts";
import { Cursors } from "./cursors.ts";
import { Hands, type Touch } from "./hands.ts";
import { Ink, onBoard } from "./ink.ts";
import { intoSight, moveOf } from "./keys.ts";
import type { Stroke } from "./strokes.ts";
import { Surface } from "./surface.ts";
import { Tools } from "./tools.ts";
import { BOARD } from "./world.ts";

/** The room, as far as the drawing needs it. Points are x and y in turn. */
export interface DrawingPort {
  /** Begins an own line at a point and returns its key; undefined where it may not be: too much waits for the room. */
  begin(at: readonly [x: number, y: number], colour: number, width: number): string | undefined;
  extend(key: string, points: readonly number[]): void;
  end(key: string): void;
  /** The line of a key as it is now, with what is on its way to the room. */
  line(key: string): Stroke | undefined;
  erase(keys: readonly string[]): void;
  undo(): void;
  redo(): void;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Where the own pointer is; undefined: nowhere. */
  point(at: Point | undefined): void;
}

const REACH = 8; // pixels around the eraser
const EDGE = 60; // pixels from the edge that the keys' pointer keeps
const ZOOM = 1.25;

export class Drawing {
  readonly surface: Surface;
  readonly cursors: Cursors;

  readonly #paper = byId("paper", HTMLCanvasElement);
  readonly #crosshair = byId("crosshair", HTMLElement);
  readonly #bar = byId("bar", HTMLElement);
  readonly #tools: Tools;
  readonly #say: (text: string) => void;
  #port: DrawingPort | undefined;
  #ink: Ink | undefined;
  #key: string | undefined; // of the line that is drawn
  #erasing = new Set<string>(); // erased with the hand that is down
  #pen: Point | undefined; // of the keys, in units of the board
  #fitted = false;

  constructor(prefs: Prefs, say: (text: string) => void) {
    this.#say = say;
    this.surface = new Surface(this.#paper, BOARD);
    this.cursors = new Cursors(byId("cursors", HTMLElement), this.surface.camera);
    this.#tools = new Tools(prefs);
    this.#tools.changed = (tool) => {
      this.#paper.dataset["tool"] = tool;
      this.#lift();
    };
    this.#paper.dataset["tool"] = this.#tools.tool;
    this.surface.drawn = () => this.#over();
    onTheme((theme) => (this.surface.theme = theme));
    const self = this;
    new Hands(this.#paper, {
      get tool() {
        return self.#tools.tool;
      },
      begin: (at) => this.#begin(at),
      draw: (points, guessed) => this.#draw(points, guessed),
      end: (cancelled) => this.#end(cancelled),
      erase: (from, to) => this.#erase(from, to),
      erased: () => this.#erased(),
      pan: (dx, dy) => this.#pan(dx, dy),
      zoom: (by, at) => this.#zoom(by, at),
      hover: (at, by) => this.#hover(at, by),
    });
    this.#paper.addEventListener("keydown", (e) => this.#keydown(e));
    this.#paper.addEventListener("blur", () => this.#hideKeys());
    const on = (id: string, call: () => void) => byId(id, HTMLButtonElement).addEventListener("click", call);
    const middle = () => ({ x: this.surface.width / 2, y: this.surface.height / 2 });
    on("zoom-in", () => this.#zoom(ZOOM, middle()));
    on("zoom-out", () => this.#zoom(1 / ZOOM, middle()));
    on("zoom-fit", () => this.#fit());
    on("undo", () => this.undo());
    on("redo", () => this.redo());
    this.#fit();
  }

  /** The room to draw in; undefined: there is none now, and nothing is drawn. */
  set port(port: DrawingPort | undefined) {
    this.#release();
    this.#port = port;
    this.buttons();
  }

  /** Begins with no lines: those of another room follow. */
  clear(): void {
    this.#release();
    this.surface.replace([]);
    this.#fitted = false;
  }

  /** Shows what has become of a line; undefined: it is gone. */
  change(stroke: Stroke | undefined, key: string): void {
    if (key === this.#key || this.#erasing.has(key)) return; // the hand knows better
    if (stroke) this.surface.put(stroke);
    else this.surface.remove(key);
  }

  /** A frame of the room has been shown, which has so many lines in all. */
  frame(lines: number): void {
    this.#count();
    const all = this.surface.strokes.size >= lines; // many come in parts
    if (this.#fitted || !all) return;
    this.#fitted = true;
    this.#fit();
  }

  undo(): void {
    if (!this.#port?.canUndo) return;
    this.#port.undo();
    this.#say("Undone");
    this.buttons();
  }

  redo(): void {
    if (!this.#port?.canRedo) return;
    this.#port.redo();
    this.#say("Done again");
    this.buttons();
  }

  /** Shows what can be undone. */
  buttons(): void {
    byId("undo", HTMLButtonElement).disabled = !this.#port?.canUndo;
    byId("redo", HTMLButtonElement).disabled = !this.#port?.canRedo;
  }

  /** Shows all lines between the bars of buttons. */
  #fit(): void {
    this.surface.fit({ top: 64, bottom: this.#bar.offsetHeight + 28, sides: 24 });
  }

  #count(): void {
    const n = this.surface.strokes.size;
    const label = n === 0 ? "Drawing, empty" : n === 1 ? "Drawing of 1 line" : `Drawing of ${n} lines`;
    if (this.#paper.getAttribute("aria-label") !== label) this.#paper.setAttribute("aria-label", label);
    show(byId("board-empty", HTMLElement), this.#port !== undefined && n === 0 && !this.#ink);
  }

  #begin(at: Touch): void {
    if (!this.#port) return;
    this.#hideKeys();
    this.#fitted = true;
    this.#ink = new Ink(this.#tools.colour, this.#tools.width);
    this.#ink.add(this.surface.camera.toWorld(at), this.surface.camera.scale, at.pressure);
    this.#wet();
    this.#send();
    this.#count();
  }

  #draw(points: readonly Touch[], guessed: readonly Touch[]): void {
    const { camera } = this.surface;
    for (const p of points) this.#ink?.add(camera.toWorld(p), camera.scale, p.pressure);
    this.#wet(guessed.map((p) => onBoard(camera.toWorld(p))).flat());
    this.#send();
  }

  /** Hands on what has been drawn since; of a pen's line not before its width is known, or it ends. */
  #send(ends = false): void {
    const ink = this.#ink;
    if (!ink || !this.#port || !(ink.settled || ends)) return;
    const [x, y, ...more] = ink.take();
    if (x === undefined || y === undefined) return;
    if (this.#key !== undefined) return this.#port.extend(this.#key, [x, y, ...more]);
    this.#key = this.#port.begin([x, y], ink.colour, ink.width);
    if (this.#key === undefined) {
      this.#say("Too much waits for the room. The line is not drawn.");
      this.#drop();
    } else if (more.length > 0) this.#port.extend(this.#key, more);
  }

  #end(cancelled: boolean): void {
    if (!this.#ink) return;
    this.#send(true);
    const key = this.#key;
    if (key !== undefined) this.#port?.end(key);
    this.#drop();
    if (key !== undefined && cancelled) this.#port?.undo();
    this.buttons();
    this.#count();
  }

  /** What was wet is dry: it is a line of the room. */
  #drop(): void {
    const key = this.#key;
    this.#ink = this.#key = undefined;
    this.surface.wet = [];
    const stroke = key === undefined ? undefined : this.#port?.line(key);
    if (stroke) this.surface.put(stroke);
    this.surface.redraw();
  }

  #wet(guessed: readonly number[] = []): void {
    if (!this.#ink) return;
    const { colour, width, points } = this.#ink;
    this.surface.wet = [{ colour, width, points: guessed.length > 0 ? [...points, ...guessed] : points }];
    this.surface.redraw();
  }

  #erase(from: Point, to: Point): void {
    if (!this.#port) return;
    const { camera } = this.surface;
    const steps = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / REACH));
    const keys = new Set<string>();
    for (let i = 0; i <= steps; i++) {
      const at = { x: from.x + ((to.x - from.x) * i) / steps, y: from.y + ((to.y - from.y) * i) / steps };
      for (const s of this.surface.strokes.at(camera.toWorld(at), REACH / camera.scale)) keys.add(s.key);
    }
    for (const key of keys) {
      this.#erasing.add(key);
      this.surface.remove(key);
    }
  }

  /** The eraser is lifted: what it met is one act, which one undo takes back. */
  #erased(): number {
    const keys = [...this.#erasing];
    this.#erasing = new Set();
    if (keys.length > 0) this.#port?.erase(keys);
    for (const key of keys) {
      const still = this.#port?.line(key);
      if (still) this.surface.put(still); // the room keeps it
    }
    this.buttons();
    this.#count();
    return keys.length;
  }

  #pan(dx: number, dy: number): void {
    this.#fitted = true;
    this.surface.camera.pan(dx, dy);
    this.surface.moved();
  }

  #zoom(by: number, at: Point): void {
    this.#fitted = true;
    this.surface.camera.zoom(by, at);
    this.surface.moved();
  }

  #hover(at: Point | undefined, by: string): void {
    const place = at && this.surface.camera.toWorld(at);
    if (by !== "touch" || this.#ink) this.#port?.point(place && within(place) ? place : undefined);
    else this.#port?.point(undefined);
  }

  #keydown(e: KeyboardEvent): void {
    if (e.ctrlKey || e.metaKey) {
      const key = e.key.toLowerCase();
      if (key !== "z" && key !== "y") return;
      e.preventDefault();
      if (key === "y" || e.shiftKey) this.redo();
      else this.undo();
      return;
    }
    const move = moveOf(e);
    if (move) this.#step(move);
    else if (e.key === " " || e.key === "Enter") this.#press();
    else if (e.key === "Escape") this.#lift();
    else if (e.key === "+" || e.key === "=") this.#zoomKeys(ZOOM);
    else if (e.key === "-") this.#zoomKeys(1 / ZOOM);
    else if (e.key === "0") this.#fit();
    else {
      const told = this.#tools.key(e.key);
      if (!told) return;
      this.#say(told);
    }
    e.preventDefault();
  }

  #zoomKeys(by: number): void {
    const at = this.#pen ? this.surface.camera.toScreen(this.#pen) : { x: this.surface.width / 2, y: this.surface.height / 2 };
    this.#zoom(by, at);
  }

  /** An arrow key: the paper moves with the hand, else the pointer does, with its pen. */
  #step(by: Point): void {
    const { camera, width, height } = this.surface;
    if (this.#tools.tool === "hand") return this.#pan(-by.x, -by.y);
    const now = this.#pen ?? camera.toWorld({ x: width / 2, y: height / 2 });
    const [x, y] = onBoard({ x: now.x + by.x / camera.scale, y: now.y + by.y / camera.scale });
    this.#pen = { x, y };
    const sight = intoSight(camera.toScreen(this.#pen), width, height, EDGE);
    if (sight.x !== 0 || sight.y !== 0) this.#pan(sight.x, sight.y);
    if (this.#ink) {
      this.#ink.add(this.#pen, camera.scale, undefined, 0);
      this.#wet();
      this.#send();
    }
    this.#port?.point(this.#pen);
    this.surface.redraw();
  }

  /** Space: the pen is lowered or lifted, or what lies under the eraser goes. */
  #press(): void {
    if (!this.#pen) return this.#step({ x: 0, y: 0 });
    const { camera } = this.surface;
    if (this.#tools.tool === "eraser") {
      const at = camera.toScreen(this.#pen);
      this.#erase(at, at);
      const n = this.#erased();
      return this.#say(n === 0 ? "Nothing here" : n === 1 ? "Erased 1 line" : `Erased ${n} lines`);
    }
    if (this.#tools.tool === "hand") return;
    if (this.#ink) return this.#lift();
    const pen = this.#pen;
    this.#begin(camera.toScreen(pen));
    this.#pen = pen;
    this.#say("Pen down");
    this.surface.redraw();
  }

  #lift(): void {
    if (!this.#ink) return;
    this.#end(false);
    if (this.#pen) this.#say("Pen up");
    this.surface.redraw();
  }

  /** Whatever the hand is at ends, in the room in which it was begun. */
  #release(): void {
    this.#lift();
    if (this.#erasing.size > 0) this.#erased();
  }

  #hideKeys(): void {
    if (this.#pen) this.#lift();
    this.#pen = undefined;
    show(this.#crosshair, false);
  }

  /** What lies over the canvas follows it. */
  #over(): void {
    const { camera } = this.surface;
    setText(byId("scale", HTMLElement), `${Math.round(camera.scale * 100)}%`);
    show(this.#crosshair, this.#pen !== undefined);
    this.#crosshair.classList.toggle("down", this.#ink !== undefined);
    if (this.#pen) {
      const { x, y } = camera.toScreen(this.#pen);
      this.#crosshair.style.transform = `translate(${x}px, ${y}px)`;
    }
    this.cursors.place();
  }
}

function within({ x, y }: Point): boolean {
  return x >= BOARD.left && x <= BOARD.right && y >= BOARD.top && y <= BOARD.bottom;
}
