// What hands do on the drawing: a mouse, a pen, one finger or two, a wheel. One finger draws and two move the paper. What
// keys do there is in keys.ts.

import type { Point } from "./camera.ts";

export type Tool = "pen" | "eraser" | "hand";

/** A place of the surface in CSS pixels. Pressure is from 0 to 1, and undefined for what has none. */
export interface Touch extends Point {
  readonly pressure?: number | undefined;
}

/** What hands tell. */
export interface HandsHost {
  readonly tool: Tool;
  /** A line begins, goes on, and ends; cancelled: a second finger says that it was none. */
  begin(at: Touch): void;
  draw(points: readonly Touch[], guessed: readonly Touch[]): void;
  end(cancelled: boolean): void;
  /** The eraser went from one place to another. */
  erase(from: Point, to: Point): void;
  erased(): void;
  pan(dx: number, dy: number): void;
  zoom(by: number, at: Point): void;
  /** Where the pointer is; undefined when it has gone. by says whether it is a finger, which hides what it is on. */
  hover(at: Point | undefined, by: string): void;
}

const RIGHT = 2;
const MIDDLE = 1;
const LINE_HEIGHT = 16; // pixels, for wheels that count in lines
const LATE_MS = 350; // a second finger within so long after the first takes back what that has drawn

interface Held {
  at: Point;
  readonly began: number;
}

export class Hands {
  readonly #element: HTMLElement;
  readonly #host: HandsHost;
  readonly #abort = new AbortController();
  readonly #held = new Map<number, Held>();
  #doing: "drawing" | "erasing" | "moving" | undefined;

  constructor(element: HTMLElement, host: HandsHost) {
    this.#element = element;
    this.#host = host;
    const on = <K extends keyof HTMLElementEventMap>(name: K, call: (e: HTMLElementEventMap[K]) => void, passive = true) => {
      element.addEventListener(name, call, { signal: this.#abort.signal, passive });
    };
    on("pointerdown", (e) => this.#down(e));
    on("pointermove", (e) => this.#move(e));
    on("pointerup", (e) => this.#up(e, false));
    on("pointercancel", (e) => this.#up(e, true));
    on("pointerleave", (e) => {
      if (!this.#doing && e.pointerType !== "touch") host.hover(undefined, e.pointerType);
    });
    on("contextmenu", (e) => e.preventDefault(), false);
    on("wheel", (e) => this.#wheel(e), false);
  }

  close(): void {
    this.#abort.abort();
  }

  #down(e: PointerEvent): void {
    const at = this.#place(e);
    this.#element.setPointerCapture(e.pointerId);
    this.#held.set(e.pointerId, { at, began: e.timeStamp });
    if (this.#held.size > 1) return this.#second(e.timeStamp);
    const move = e.button === MIDDLE || e.button === RIGHT || this.#host.tool === "hand";
    // The other end of a pen is an eraser.
    const erase = this.#host.tool === "eraser" || (e.buttons & 32) !== 0;
    this.#doing = move ? "moving" : erase ? "erasing" : "drawing";
    if (this.#doing === "drawing") this.#host.begin(this.#touch(e));
    else if (this.#doing === "erasing") this.#host.erase(at, at);
  }

  /** More than one finger: they move the paper. */
  #second(now: number): void {
    const first = [...this.#held.values()][0]!;
    if (this.#doing === "drawing") this.#host.end(now - first.began < LATE_MS);
    if (this.#doing === "erasing") this.#host.erased();
    this.#doing = "moving";
  }

  #move(e: PointerEvent): void {
    const held = this.#held.get(e.pointerId);
    const at = this.#place(e);
    if (!held) return this.#host.hover(at, e.pointerType);
    if (this.#doing === "drawing") {
      const all = e.getCoalescedEvents?.() ?? [];
      const guessed = e.getPredictedEvents?.() ?? [];
      this.#host.draw((all.length > 0 ? all : [e]).map((c) => this.#touch(c)), guessed.slice(0, 2).map((c) => this.#touch(c)));
    } else if (this.#doing === "erasing") {
      this.#host.erase(held.at, at);
    } else if (this.#doing === "moving") {
      this.#moveBy(e.pointerId, held.at, at);
    }
    held.at = at;
    if (e.isPrimary) this.#host.hover(at, e.pointerType);
  }

  /** Moves and scales so that what the fingers hold stays below them. */
  #moveBy(id: number, from: Point, to: Point): void {
    const others = [...this.#held].filter(([other]) => other !== id);
    const [other] = others;
    if (!other) return this.#host.pan(to.x - from.x, to.y - from.y);
    const still = other[1].at;
    this.#host.pan((to.x - from.x) / 2, (to.y - from.y) / 2);
    const before = Math.hypot(from.x - still.x, from.y - still.y);
    const after = Math.hypot(to.x - still.x, to.y - still.y);
    if (before > 1 && after > 1) this.#host.zoom(after / before, { x: (to.x + still.x) / 2, y: (to.y + still.y) / 2 });
  }

  #up(e: PointerEvent, cancelled: boolean): void {
    if (!this.#held.delete(e.pointerId)) return;
    if (this.#doing === "drawing") this.#host.end(cancelled);
    else if (this.#doing === "erasing") this.#host.erased();
    // What a second finger leaves moves on with the first; it does not begin to draw.
    if (this.#held.size === 0) this.#doing = undefined;
    if (e.pointerType === "touch" && this.#held.size === 0) this.#host.hover(undefined, e.pointerType);
  }

  #wheel(e: WheelEvent): void {
    e.preventDefault();
    const unit = e.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_HEIGHT : e.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 400 : 1;
    if (e.ctrlKey || e.metaKey) this.#host.zoom(Math.exp(-Math.max(-60, Math.min(60, e.deltaY * unit)) * 0.01), this.#place(e));
    else if (e.shiftKey && e.deltaX === 0) this.#host.pan(-e.deltaY * unit, 0);
    else this.#host.pan(-e.deltaX * unit, -e.deltaY * unit);
  }

  #place(e: MouseEvent): Point {
    const box = this.#element.getBoundingClientRect();
    return { x: e.clientX - box.left, y: e.clientY - box.top };
  }

  #touch(e: PointerEvent): Touch {
    const place = this.#place(e);
    return e.pointerType === "pen" ? { ...place, pressure: e.pressure } : place;
  }
}
