// Others' pointers on the drawing, with their names.

import { make, setText } from "../shared/dom.ts";
import type { Camera, Point } from "./camera.ts";
import { Glide } from "./glide.ts";
import { personStyle } from "./palette.ts";

/** Another one's pointer on the board. */
export interface Pointer extends Point {
  readonly key: number;
  readonly author: number;
  readonly name: string;
  readonly away: boolean;
}

interface Shown {
  readonly element: HTMLElement;
  readonly label: HTMLElement;
  readonly glide: Glide;
}

const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Cursors {
  readonly #parent: HTMLElement;
  readonly #camera: Camera;
  readonly #shown = new Map<number, Shown>();
  #frame = 0;

  constructor(parent: HTMLElement, camera: Camera) {
    this.#parent = parent;
    this.#camera = camera;
  }

  /** What there is now; takes is the time in ms until it will be told anew. */
  show(pointers: readonly Pointer[], takes: number, now = performance.now()): void {
    const gone = new Set(this.#shown.keys());
    for (const p of pointers) {
      gone.delete(p.key);
      let s = this.#shown.get(p.key);
      if (!s) {
        s = cursor(p);
        this.#shown.set(p.key, s);
        this.#parent.append(s.element);
      }
      setText(s.label, p.name);
      s.element.style.setProperty("--who", personStyle(p.author));
      s.element.classList.toggle("away", p.away);
      s.glide.go(p, now, still.matches ? 0 : takes);
    }
    for (const key of gone) {
      this.#shown.get(key)?.element.remove();
      this.#shown.delete(key);
    }
    this.place();
  }

  /** Where they are shown, in units of the board; for tests. */
  get places(): { name: string; x: number; y: number }[] {
    const now = performance.now();
    return [...this.#shown.values()].map(({ label, glide }) => ({ name: label.textContent ?? "", ...glide.at(now) }));
  }

  /** Puts them where they belong, now and for as long as one moves. */
  place(): void {
    const now = performance.now();
    let moving = false;
    for (const { element, glide } of this.#shown.values()) {
      const { x, y } = this.#camera.toScreen(glide.at(now));
      element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
      moving ||= glide.moving(now);
    }
    if (!moving || this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.place();
    });
  }
}

function cursor(p: Pointer): Shown {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", "M1.5 1.5 17 8l-6.6 2.4L8 17z");
  svg.append(path);
  const label = make("span", "", p.name);
  const element = make("div", "cursor");
  element.append(svg, label);
  return { element, label, glide: new Glide(p) };
}
