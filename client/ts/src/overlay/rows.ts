import { make, setText } from "./dom.js";
import { type Colours, Graph, type Picture, type Shape } from "./graph.js";
import { bytes, columnsOf, niceTop, short, type Span, stack } from "./plot.js";
import type { Layer, Probe } from "./probe.js";
import type { Series } from "./series.js";

/** What all rows show at one time. */
export interface Moment {
  readonly probe: Probe;
  readonly span: Span;
  /** When what is shown began. */
  readonly since: number;
  readonly marks: readonly number[];
  /** The column that the pointer is at: then the numbers are of it, else they are the newest. */
  readonly cursor: number | undefined;
  /** Ticks per second. */
  readonly rate: number;
  readonly colours: Colours;
}

/** One measure: its name, its number now, and its graph. */
export abstract class Row {
  readonly element: HTMLElement;
  readonly graph: Graph;
  readonly #value = make("span");
  readonly #unit = make("small");
  readonly #more = make("div", { class: "more" });

  /** @param about what the number means, as the name's tooltip */
  constructor(name: string, about: string) {
    const canvas = make("canvas", { "aria-hidden": "true" }); // its number is told beside it
    this.graph = new Graph(canvas);
    this.element = make("div", { class: "row" },
      make("dt", { title: about }, name),
      make("dd", { class: "value" }, make("div", { class: "now" }, this.#value, this.#unit), this.#more),
      make("dd", { class: "plot" }, canvas),
    );
  }

  /** Shows a moment. Slow says that it is time for what takes longer to work out. */
  abstract show(m: Moment, slow: boolean): void;

  /** The number to show of a series that is drawn by these values. */
  protected read(m: Moment, series: Series, values: Float64Array): number {
    return m.cursor === undefined ? series.valueAt(m.span.now) : values[m.cursor]!;
  }

  protected tell(value: string, unit: string, bad = false): void {
    setText(this.#value, value);
    setText(this.#unit, unit);
    this.#value.classList.toggle("bad", bad);
  }

  protected more(text: string): void {
    setText(this.#more, text);
  }

  protected draw(m: Moment, p: Pick<Picture, "shapes" | "top" | "label"> & Partial<Picture>): void {
    this.graph.draw({ span: m.span, bottom: 0, marks: m.marks, cursor: m.cursor, ...p }, m.colours);
  }
}

/** What one line shows, and how. */
interface LineOptions {
  series: (p: Probe) => Series;
  unit: string;
  /** The graph's top is at least this. */
  least: number;
  colour: number;
  /** What is said where there is no value. */
  none?: string;
  /** The part of the values that the graph's top leaves room for; those above it are cut off. Default all. */
  shown?: number;
}

/** One line: the round trip, jitter, the prediction's error. */
export class LineRow extends Row {
  readonly #o: LineOptions;
  #most = Infinity; // that is not cut off

  constructor(name: string, about: string, o: LineOptions) {
    super(name, about);
    this.#o = o;
  }

  show(m: Moment, slow: boolean): void {
    const { unit, least, shown = 1 } = this.#o;
    const series = this.#o.series(m.probe);
    const values = columnsOf(series, m.span);
    const now = this.read(m, series, values);
    const text = (v: number) => short(unit === "ms" ? Math.round(v) : v);
    this.tell(text(now), Number.isNaN(now) ? "" : unit);
    if (slow) this.more(Number.isNaN(series.value()) ? (this.#o.none ?? "") : `p99 ${text(series.quantile(0.99, m.since))}`);
    if (slow && shown < 1) this.#most = 1.5 * series.quantile(shown, m.since);
    const top = niceTop(Math.min(series.max(m.since), this.#most), least);
    const colour = m.colours.series[this.#o.colour]!;
    this.draw(m, { shapes: [{ kind: "area", values, colour }], top, label: `${short(top)} ${unit}`.trim() });
  }
}

/** The time between frames: how long one waited at most. */
export class GapRow extends Row {
  constructor() {
    super("Frame gap", "The longest time between two frames; the dashed line is that of a tick");
  }

  show(m: Moment): void {
    const gap = m.probe.gap;
    const values = columnsOf(gap, m.span);
    const now = this.read(m, gap, values);
    const tick = 1000 / m.rate;
    this.tell(short(Math.round(now)), Number.isNaN(now) ? "" : "ms", now > 4 * tick);
    const most = gap.max(m.since);
    this.more(`longest ${short(Math.round(most))}`);
    const top = niceTop(most, 3 * tick);
    const shapes: Shape[] = [{ kind: "bars", values, colour: m.colours.series[0]! }];
    this.draw(m, { shapes, top, guide: tick, label: `${short(top)} ms` });
  }
}

/** How early inputs come: below zero they are too late. */
export class LeadRow extends Row {
  constructor() {
    super("Input lead", "How many ticks before its use the last input came; below zero it was too late");
  }

  show(m: Moment): void {
    const { lead } = m.probe;
    const values = columnsOf(lead, m.span, "least");
    const now = this.read(m, lead, values);
    this.tell(short(now), Number.isNaN(now) ? "" : now === 1 ? "tick" : "ticks", now < 0);
    const least = lead.min(m.since);
    this.more(Number.isNaN(now) ? "no inputs" : `least ${short(least)}`);
    const top = niceTop(lead.max(m.since), 4);
    const bottom = least < 0 ? -niceTop(-least, 2) : 0;
    const shapes: Shape[] = [{ kind: "bars", values, colour: m.colours.series[1]!, negative: m.colours.bad }];
    this.draw(m, { shapes, top, bottom, label: short(top) });
  }
}

/** States that came otherwise than predicted, and the ticks that were run again. */
export class RollbackRow extends Row {
  constructor() {
    super("Rollbacks", "States that differed from what was predicted, per second");
  }

  show(m: Moment): void {
    const { rollbacks, replayed } = m.probe;
    const values = columnsOf(rollbacks, m.span);
    const now = this.read(m, rollbacks, values);
    this.tell(short(now), Number.isNaN(now) ? "" : "/s");
    const again = this.read(m, replayed, columnsOf(replayed, m.span));
    this.more(Number.isNaN(now) ? "no prediction" : `${short(Math.round(again))} ticks/s again`);
    const top = niceTop(rollbacks.max(m.since), 5);
    const shapes: Shape[] = [{ kind: "bars", values, colour: m.colours.series[3]! }];
    this.draw(m, { shapes, top, label: `${short(top)} /s` });
  }
}

/** The bytes that come: by scope, or by table. */
export class BytesRow extends Row {
  readonly #legend = make("ul", { class: "legend" });
  readonly #buttons: HTMLButtonElement[];
  #by: "scope" | "table" = "scope";
  readonly #entries = new Map<string, HTMLElement>(); // by name

  constructor() {
    super("Received", "Bytes a second with their framing: those of frames by scope or table, and the rest");
    this.#buttons = (["scope", "table"] as const).map((by) => {
      const button = make("button", { type: "button" }, by);
      button.addEventListener("click", () => this.#choose(by));
      return button;
    });
    const choice = make("div", { class: "switch", role: "group", "aria-label": "Bytes by" }, ...this.#buttons);
    this.element.classList.add("tall");
    this.element.querySelector(".value")!.append(choice);
    this.element.append(make("dd", { class: "layers" }, this.#legend));
    this.#choose("scope");
  }

  show(m: Moment): void {
    const { probe } = m;
    const now = this.read(m, probe.bytesIn, columnsOf(probe.bytesIn, m.span));
    const [value, unit] = bytes(now).split(" ");
    this.tell(value!, unit ? `${unit}/s` : "");
    this.more(`sent ${bytes(this.read(m, probe.bytesOut, columnsOf(probe.bytesOut, m.span)))}/s`);
    const { list } = this.#by === "scope" ? probe.scopes : probe.tables;
    const rest = this.#by === "scope" ? probe.restOfScopes : probe.restOfTables;
    const layers: Pick<Layer, "name" | "series">[] = [...list, { name: "other", series: rest }];
    const colours = [...list.map((l) => m.colours.series[l.colour]!), m.colours.rest];
    const columns = layers.map((l) => columnsOf(l.series, m.span));
    const tops = stack(columns);
    const shapes = tops.map((values, i): Shape => ({
      kind: "layer", values, colour: colours[i]!, ...(i > 0 && { below: tops[i - 1]! }),
    }));
    const top = niceTop(tops.at(-1)!.reduce((most, v) => Math.max(most, v), 0), 500);
    this.draw(m, { shapes, top, label: `${bytes(top)}/s` });
    layers.forEach((l, i) => {
      if (l.series.max(m.since) === 0 && !this.#entries.has(l.name)) return; // not in this game
      setText(this.#entry(l.name, i < list.length ? `c${list[i]!.colour}` : "rest"), bytes(this.read(m, l.series, columns[i]!)));
    });
  }

  #entry(name: string, colour: string): HTMLElement {
    let number = this.#entries.get(name);
    if (!number) {
      number = make("b");
      const item = make("li", {}, make("span", { class: `chip ${colour}` }), `${name} `, number);
      if (name === "other" || !this.#entries.has("other")) this.#legend.append(item);
      else this.#legend.insertBefore(item, this.#legend.lastChild);
      this.#entries.set(name, number);
    }
    return number;
  }

  #choose(by: "scope" | "table"): void {
    this.#by = by;
    this.#buttons.forEach((b, i) => b.setAttribute("aria-pressed", String((i === 0) === (by === "scope"))));
    this.#entries.clear();
    this.#legend.replaceChildren();
  }
}
