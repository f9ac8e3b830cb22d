// The last five minutes: six plots with one reader, and the same as a table.

import { byId, make, show } from "../shared/dom.ts";
import { onTheme } from "../shared/theme.ts";
import { brief, bytes, clock, micros } from "./format.ts";
import { Plot, type PlotSpec } from "./plot.ts";
import { lately, rowsOf, type Sample } from "./scale.ts";
import type { Point } from "./types.ts";

interface Kind extends PlotSpec {
  of: (p: Point) => number[];
}

const kinds: readonly Kind[] = [
  { title: "Players", series: ["seats", "sockets"], least: 5, whole: true, say: brief, of: (p) => [p.Players, p.Sockets] },
  { title: "Rooms", series: ["rooms"], least: 5, whole: true, say: brief, of: (p) => [p.Rooms] },
  { title: "Waiting", series: ["tickets"], least: 5, whole: true, say: brief, of: (p) => [p.Waiting] },
  { title: "Tick time", series: ["p99", "p50"], least: 500, say: micros, of: (p) => [p.P99, p.P50] },
  { title: "Ticks a second", series: ["ticks"], least: 10, whole: true, say: brief, of: (p) => [p.TickRate] },
  { title: "Sent a second", series: ["bytes"], least: 1000, say: bytes, of: (p) => [Number(p.OutRate)] },
];

const ROW_EVERY = 10; // seconds between two rows of the table

export class Past {
  readonly #plots: Plot[];
  readonly #table = byId("past-table", HTMLElement);
  readonly #plotted = byId("plots", HTMLElement);
  #points: readonly Point[] = [];
  #asTable = false;

  constructor() {
    this.#plots = kinds.map((k) => new Plot(k, (at) => this.#plots.forEach((p) => p.read(at))));
    this.#plotted.append(...this.#plots.map((p) => p.figure));
    onTheme((theme) => this.#plots.forEach((p) => p.wear(theme)));
    void document.fonts.ready.then(() => this.#plots.forEach((p) => p.draw()));
    const button = byId("as-table", HTMLButtonElement);
    button.addEventListener("click", () => {
      this.#asTable = !this.#asTable;
      button.setAttribute("aria-pressed", String(this.#asTable));
      show(this.#table, this.#asTable);
      show(this.#plotted, !this.#asTable);
      this.#draw();
    });
  }

  show(points: Iterable<Point>): void {
    this.#points = [...points];
    this.#draw();
  }

  #draw(): void {
    const samples = kinds.map((k) => lately(this.#points.map((p): Sample => ({ at: p.At, values: k.of(p) }))));
    if (!this.#asTable) return this.#plots.forEach((p, i) => p.show(samples[i] ?? []));
    const rows = samples.map((s) => rowsOf(s, ROW_EVERY));
    const head = make("tr", "", make("th", "", "Time"), ...kinds.flatMap((k) => k.series.map((s) => make("th", "n", k.series.length > 1 ? `${k.title}: ${s}` : k.title))));
    for (const th of head.cells) (th as HTMLTableCellElement & { scope: string }).scope = "col";
    const body = make("tbody");
    rows[0]?.forEach((first, i) => {
      const time = make("th", "", clock(first.at));
      time.scope = "row";
      const cells = kinds.flatMap((k, s) => (rows[s]?.[i]?.values ?? []).map((v) => make("td", "n", k.say(v))));
      body.append(make("tr", "", time, ...cells));
    });
    const left = this.#table.scrollLeft;
    this.#table.replaceChildren(make("table", "", make("thead", "", head), body));
    this.#table.scrollLeft = left;
  }
}
