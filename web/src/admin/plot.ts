// A plot of the last five minutes on a canvas of our own. What is under the pointer, or where the arrow keys are, is read
// out in its caption and to screen readers.

import { make, setText } from "../shared/dom.ts";
import type { Theme } from "../shared/theme.ts";
import { clock } from "./format.ts";
import { marksOf, most, nearest, rungs, runs, type Sample, SPAN, spanOf, top } from "./scale.ts";

/** What a plot shows. */
export interface PlotSpec {
  title: string;
  /** Of one or two series; the second is drawn dashed, so that colour is not all that tells them apart. */
  series: readonly string[];
  /** The least height, so that little is not drawn as much. */
  least: number;
  /** Only whole numbers. */
  whole?: boolean;
  say: (value: number) => string;
}

interface Ink {
  first: string;
  second: string;
  fill: string;
  grid: string;
  text: string;
  cursor: string;
}

const INKS: Record<Theme, Ink> = {
  dark: { first: "#ffc14d", second: "#6fc6f2", fill: "rgb(255 193 77 / 13%)", grid: "rgb(150 178 225 / 16%)", text: "#94a3bf", cursor: "#e6edf9" },
  light: { first: "#a45c00", second: "#00567e", fill: "rgb(164 92 0 / 10%)", grid: "rgb(40 66 110 / 18%)", text: "#4b5c7a", cursor: "#101b30" },
};

const ABOVE = 20; // pixels over the highest value, for its label
const BELOW = 22; // for the time
const FONT = '500 13px "Barlow Condensed", "Arial Narrow", system-ui, sans-serif';

export class Plot {
  readonly figure: HTMLElement;
  readonly #spec: PlotSpec;
  readonly #canvas = make("canvas");
  readonly #paper: HTMLElement;
  readonly #said: HTMLElement[];
  readonly #moved: (at: number | undefined) => void;
  #samples: readonly Sample[] = [];
  #at: number | undefined; // where the reader is; undefined is at the newest
  #theme: Theme = "dark";
  #width = 0;
  #height = 0;

  /** @param moved hears where in time the reader is, of all plots; undefined is nowhere */
  constructor(spec: PlotSpec, moved: (at: number | undefined) => void) {
    this.#spec = spec;
    this.#moved = moved;
    this.#said = spec.series.map(() => make("output", "", "–"));
    const keys = spec.series.map((name, i) => {
      const swatch = make("i");
      swatch.setAttribute("aria-hidden", "true");
      return make("span", i ? "key second" : "key", swatch, name, this.#said[i] ?? "");
    });
    for (const o of this.#said) o.setAttribute("aria-live", "off"); // they change each second
    this.#paper = make("div", "paper", this.#canvas);
    this.#paper.tabIndex = 0;
    for (const [name, value] of Object.entries({
      role: "slider", "aria-label": `${spec.title}, lately`, "aria-valuemin": String(-SPAN), "aria-valuemax": "0", "aria-valuenow": "0",
    })) this.#paper.setAttribute(name, value);
    this.figure = make("figure", "plot", make("figcaption", "", make("b", "", spec.title), ...keys), this.#paper);
    this.#paper.addEventListener("pointermove", (e) => this.#point(e.offsetX));
    this.#paper.addEventListener("pointerdown", (e) => this.#point(e.offsetX));
    this.#paper.addEventListener("pointerleave", () => this.#moved(undefined));
    this.#paper.addEventListener("blur", () => this.#moved(undefined));
    this.#paper.addEventListener("keydown", (e) => this.#key(e));
    new ResizeObserver(([entry]) => {
      if (!entry) return;
      [this.#width, this.#height] = [entry.contentRect.width, entry.contentRect.height];
      this.draw();
    }).observe(this.#canvas);
  }

  /** Shows samples, in the order of their times. */
  show(samples: readonly Sample[]): void {
    this.#samples = samples;
    this.draw();
  }

  /** Puts the reader somewhere. */
  read(at: number | undefined): void {
    this.#at = at;
    this.draw();
  }

  wear(theme: Theme): void {
    this.#theme = theme;
    this.draw();
  }

  /** The time at the right edge. */
  get #now(): number {
    return this.#samples.at(-1)?.at ?? 0;
  }

  #x(at: number): number {
    return this.#width * (1 - (this.#now - at) / spanOf(this.#samples));
  }

  #point(x: number): void {
    const i = nearest(this.#samples, this.#now - spanOf(this.#samples) * (1 - x / this.#width));
    this.#moved(this.#samples[i]?.at);
  }

  #key(e: KeyboardEvent): void {
    const here = this.#at === undefined ? this.#samples.length - 1 : nearest(this.#samples, this.#at);
    const far = e.shiftKey ? 10 : 1;
    const to = { ArrowLeft: here - far, ArrowDown: here - far, ArrowRight: here + far, ArrowUp: here + far, PageDown: here - 30, PageUp: here + 30, Home: 0, End: this.#samples.length - 1 }[e.key];
    if (e.key === "Escape") this.#moved(undefined);
    else if (to === undefined) return;
    else this.#moved(this.#samples[Math.max(0, Math.min(to, this.#samples.length - 1))]?.at);
    e.preventDefault();
  }

  draw(): void {
    this.#tell();
    const scale = devicePixelRatio || 1;
    const [w, h] = [Math.round(this.#width * scale), Math.round(this.#height * scale)];
    if (w < 1 || h < 1) return;
    if (this.#canvas.width !== w) this.#canvas.width = w;
    if (this.#canvas.height !== h) this.#canvas.height = h;
    const c = this.#canvas.getContext("2d");
    if (!c) return;
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.clearRect(0, 0, this.#width, this.#height);
    const ink = INKS[this.#theme];
    const height = top(most(this.#samples), this.#spec.least);
    const y = (v: number) => this.#height - BELOW - (v / height) * (this.#height - BELOW - ABOVE);
    this.#grid(c, ink, height, y);
    this.#spec.series.forEach((_, i) => this.#line(c, ink, i, y));
    this.#cursor(c, ink, y);
  }

  /** What the caption says, and what a screen reader hears who asks. */
  #tell(): void {
    const i = this.#at === undefined ? this.#samples.length - 1 : nearest(this.#samples, this.#at);
    const sample = this.#samples[i];
    const words = this.#spec.series.map((name, s) => {
      const value = sample?.values[s];
      const text = value === undefined ? "–" : this.#spec.say(value);
      const output = this.#said[s];
      if (output) setText(output, text);
      return `${name} ${text}`;
    });
    this.#paper.setAttribute("aria-valuenow", String(sample ? sample.at - this.#now : 0));
    this.#paper.setAttribute("aria-valuetext", sample ? `${clock(sample.at)}: ${words.join(", ")}` : "nothing is known yet");
  }

  #grid(c: CanvasRenderingContext2D, ink: Ink, height: number, y: (v: number) => number): void {
    c.font = FONT;
    c.lineWidth = 1;
    c.strokeStyle = ink.grid;
    c.fillStyle = ink.text;
    c.textBaseline = "alphabetic";
    c.beginPath();
    for (const v of [0, ...rungs(height, this.#spec.whole ?? false)]) {
      const at = Math.round(y(v)) + 0.5;
      c.moveTo(0, at);
      c.lineTo(this.#width, at);
      if (v > 0) {
        c.textAlign = "left";
        c.fillText(this.#spec.say(v), 8, at - 4);
      }
    }
    for (const [ago, text] of marksOf(spanOf(this.#samples))) {
      const x = Math.round(this.#x(this.#now - ago)) + 0.5;
      c.moveTo(x, this.#height - BELOW);
      c.lineTo(x, this.#height - BELOW + 5);
      c.textAlign = "center";
      c.fillText(text, x, this.#height - 6);
    }
    c.stroke();
  }

  #line(c: CanvasRenderingContext2D, ink: Ink, series: number, y: (v: number) => number): void {
    const value = (i: number) => this.#samples[i]?.values[series] ?? 0;
    const x = (i: number) => this.#x(this.#samples[i]?.at ?? 0);
    c.lineWidth = 2;
    c.lineJoin = "round";
    c.strokeStyle = series ? ink.second : ink.first;
    c.setLineDash(series ? [5, 3] : []);
    for (const [from, to] of runs(this.#samples)) {
      c.beginPath();
      c.moveTo(x(from), y(value(from)));
      if (from === to) c.lineTo(x(from) + 1, y(value(from)));
      for (let i = from + 1; i <= to; i++) c.lineTo(x(i), y(value(i)));
      c.stroke();
      if (series > 0) continue;
      c.lineTo(x(to), y(0));
      c.lineTo(x(from), y(0));
      c.fillStyle = ink.fill;
      c.fill();
    }
    c.setLineDash([]);
  }

  #cursor(c: CanvasRenderingContext2D, ink: Ink, y: (v: number) => number): void {
    const sample = this.#at === undefined ? undefined : this.#samples[nearest(this.#samples, this.#at)];
    if (!sample) return;
    const x = this.#x(sample.at);
    c.strokeStyle = ink.cursor;
    c.lineWidth = 1;
    c.beginPath();
    c.moveTo(Math.round(x) + 0.5, 4);
    c.lineTo(Math.round(x) + 0.5, this.#height - BELOW);
    c.stroke();
    sample.values.slice(0, this.#spec.series.length).forEach((v, i) => {
      c.fillStyle = i ? ink.second : ink.first;
      c.beginPath();
      c.arc(x, y(v), 3.5, 0, 2 * Math.PI);
      c.fill();
    });
    const text = clock(sample.at);
    const half = c.measureText(text).width / 2 + 6;
    const at = Math.max(half, Math.min(x, this.#width - half));
    c.fillStyle = ink.cursor;
    c.fillRect(at - half, this.#height - BELOW + 3, 2 * half, BELOW - 5);
    c.fillStyle = this.#theme === "dark" ? "#070b14" : "#ffffff";
    c.textAlign = "center";
    c.fillText(text, at, this.#height - 6);
  }
}
