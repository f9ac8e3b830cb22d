import type { Span } from "./plot.js";

/** The colours of a theme, as a canvas takes them. */
export interface Colours {
  readonly ink: string;
  readonly soft: string;
  readonly grid: string;
  readonly surface: string;
  readonly bad: string;
  readonly mark: string;
  readonly rest: string;
  /** Those of layers and lines. */
  readonly series: readonly string[];
}

/** Something that is drawn in a graph: values by column, NaN where there is none. */
export interface Shape {
  readonly kind: "area" | "line" | "bars" | "layer";
  readonly values: Float64Array;
  readonly colour: string;
  /** What a layer lies on. */
  readonly below?: Float64Array;
  /** The colour of bars below zero. */
  readonly negative?: string;
}

/** What a graph shows. */
export interface Picture {
  readonly span: Span;
  readonly shapes: readonly Shape[];
  readonly top: number;
  /** 0, or below where values are negative. */
  readonly bottom: number;
  /** The value that is normal, as a dashed line. */
  readonly guide?: number;
  /** Columns in which something happened. */
  readonly marks: readonly number[];
  /** The column that the pointer is at. */
  readonly cursor: number | undefined;
  /** What the top is called. */
  readonly label: string;
}

const PAD = 3; // pixels above and below
const FONT = '10px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** One canvas and its size. */
export class Graph {
  readonly canvas: HTMLCanvasElement;
  #width = 0; // in CSS pixels
  #height = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
  }

  /** Takes the size that the page gives the canvas. */
  resize(width: number, height: number, ratio: number): void {
    [this.#width, this.#height] = [width, height];
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    this.canvas.getContext("2d")?.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  draw(picture: Picture, colours: Colours): void {
    const g = this.canvas.getContext("2d");
    const [w, h] = [this.#width, this.#height];
    if (!g || w === 0) return;
    const { span, top, bottom, guide } = picture;
    const step = w / span.columns;
    const x = (column: number) => (column + 0.5) * step;
    const y = (v: number) => h - PAD - ((Math.min(v, top) - bottom) / (top - bottom)) * (h - 2 * PAD);
    g.clearRect(0, 0, w, h);
    rule(g, colours.grid, w, y(0));
    rule(g, colours.grid, w, y(top));
    for (const column of picture.marks) mark(g, colours.mark, x(column), h);
    for (const shape of picture.shapes) paint(g, shape, x, y, step);
    if (guide !== undefined && guide <= top) {
      g.setLineDash([2, 3]);
      rule(g, colours.soft, w, y(guide));
      g.setLineDash([]);
    }
    if (picture.cursor !== undefined) {
      g.fillStyle = colours.ink;
      g.fillRect(x(picture.cursor) - 0.5, 0, 1, h);
    }
    g.font = FONT;
    g.textBaseline = "top";
    g.strokeStyle = colours.surface;
    g.lineWidth = 3;
    g.strokeText(picture.label, 1, y(top) + 2);
    g.fillStyle = colours.soft;
    g.fillText(picture.label, 1, y(top) + 2);
  }
}

function rule(g: CanvasRenderingContext2D, colour: string, width: number, y: number): void {
  g.strokeStyle = colour;
  g.lineWidth = 1;
  g.beginPath();
  g.moveTo(0, Math.round(y) + 0.5);
  g.lineTo(width, Math.round(y) + 0.5);
  g.stroke();
}

/** A line behind what is drawn, with a head that is always to be seen. */
function mark(g: CanvasRenderingContext2D, colour: string, x: number, height: number): void {
  g.fillStyle = colour;
  g.globalAlpha = 0.55;
  g.fillRect(x - 0.5, 0, 1, height);
  g.globalAlpha = 1;
  g.beginPath();
  g.moveTo(x - 3, 0);
  g.lineTo(x + 3, 0);
  g.lineTo(x, 4.5);
  g.fill();
}

function paint(
  g: CanvasRenderingContext2D, shape: Shape, x: (column: number) => number, y: (v: number) => number, step: number,
): void {
  const { values, colour, below } = shape;
  if (shape.kind === "bars") {
    const width = Math.max(1, step - 0.5);
    values.forEach((v, i) => {
      if (!v) return; // none, or nothing to see
      g.fillStyle = v < 0 ? (shape.negative ?? colour) : colour;
      const [from, to] = [y(Math.max(v, 0)), y(Math.min(v, 0))];
      g.fillRect(x(i) - width / 2, from, width, Math.max(1, to - from));
    });
    return;
  }
  const known = [...values.keys()].filter((i) => !Number.isNaN(values[i]!));
  if (known.length === 0) return;
  const trace = () => {
    g.beginPath();
    known.forEach((column, n) => (n === 0 ? g.moveTo(x(column), y(values[column]!)) : g.lineTo(x(column), y(values[column]!))));
  };
  if (shape.kind !== "line") {
    trace();
    for (let n = known.length - 1; n >= 0; n--) g.lineTo(x(known[n]!), y(below?.[known[n]!] ?? 0));
    g.closePath();
    g.globalAlpha = shape.kind === "area" ? 0.16 : 1;
    g.fillStyle = colour;
    g.fill();
    g.globalAlpha = 1;
    if (shape.kind === "layer") return;
  }
  trace();
  g.strokeStyle = colour;
  g.lineWidth = 1.5;
  g.lineJoin = "round";
  g.stroke();
}
