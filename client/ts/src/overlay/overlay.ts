import type { Simulator } from "../netsim.js";
import { type Schedule, systemSchedule } from "../schedule.js";
import { Controls } from "./controls.js";
import { make, setText } from "./dom.js";
import type { Colours } from "./graph.js";
import type { Incident } from "./incidents.js";
import { columnOf, type Span, timeOf } from "./plot.js";
import { type Observed, Probe, SAMPLE_MS, WINDOW_MS } from "./probe.js";
import { BytesRow, GapRow, LeadRow, LineRow, type Moment, RollbackRow, type Row } from "./rows.js";
import { STYLE } from "./style.js";

/** How an Overlay looks, and where it has its time from. */
export interface OverlayOptions {
  /** What it is put into. Default: the document's body. */
  parent?: Node;
  /** The network of the match's sockets, to be changed from the overlay. Without it there are no controls. */
  sim?: Simulator;
  /** Whether it shows from the beginning. Default true. */
  open?: boolean;
  /** See Overlay.theme. Default auto. */
  theme?: Theme;
  /** Where it stands in a wide window. Default right. */
  side?: "left" | "right";
  /** A steady clock in milliseconds. Default performance.now. */
  now?: () => number;
  /** Calls a function after a time and returns what cancels that. Default setTimeout. */
  schedule?: Schedule;
}

/** Dark or light; auto: as the system has it. */
export type Theme = "auto" | "dark" | "light";

const DRAW_EVERY = 2; // samples: five times a second
const SLOW_EVERY = 5; // draws
const COLUMN_MS = 300; // 200 columns
const SHOWN = 6; // incidents
const HEARD = ["keydown", "keypress", "pointerdown", "mousedown", "touchstart", "wheel", "click", "dblclick"];

/**
 * Shows what a match measures, over a page: graphs of the last minute, incidents, and the controls of a network simulator.
 * It samples ten times a second while it lives, and draws five times a second while it shows. Everything of it is in a
 * shadow root. What is typed or clicked in it does not reach the page, but for the key with the backquote; Escape hides
 * it. It needs a browser.
 */
export class Overlay {
  readonly #match: Observed;
  readonly #probe: Probe;
  readonly #host: HTMLElement;
  readonly #rows: Row[];
  readonly #controls: Controls | undefined;
  readonly #graphs = make("dl", { class: "graphs" });
  readonly #dot = make("span", { class: "dot", "aria-hidden": "true" });
  readonly #state = make("span");
  readonly #log = make("ol", { class: "log" });
  readonly #counts = make("p", { class: "counts" });
  readonly #freeze = make("button", { type: "button", "aria-pressed": "false" }, "Freeze");
  readonly #sizes: ResizeObserver;
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  readonly #now: () => number;
  readonly #schedule: Schedule;
  readonly #began: number;
  #colours: Colours | undefined; // undefined when they have to be read anew
  #samples = 0;
  #draws = 0;
  #told: Incident | undefined; // the newest that is in the list
  #frozen: number | undefined;
  #pointer: number | undefined; // the part of a graph's width
  #cancel = () => {};

  /** Puts the overlay into the page. */
  constructor(match: Observed, options: OverlayOptions = {}) {
    this.#match = match;
    this.#now = options.now ?? (() => performance.now());
    this.#schedule = options.schedule ?? systemSchedule;
    this.#probe = new Probe(match);
    this.#rows = [
      new LineRow("Round trip", "Smoothed, measured every second", { series: (p) => p.rtt, unit: "ms", least: 50, colour: 0 }),
      new LineRow("Jitter", "How much the arrival of frames varies, smoothed", {
        series: (p) => p.jitter, unit: "ms", least: 20, colour: 0,
      }),
      new GapRow(),
      new LineRow("Prediction error", "By how much the last state differed from what was predicted, in the game's units", {
        series: (p) => p.error, unit: "", least: 0.1, colour: 3, none: "no prediction",
        shown: 0.98, // one jump would flatten the rest
      }),
      new RollbackRow(),
      new LeadRow(),
      new BytesRow(),
    ];
    this.#graphs.append(...this.#rows.map((r) => r.element));
    this.#controls = options.sim && new Controls(options.sim);
    this.#host = make("div", { "data-theme": options.theme ?? "auto", "data-side": options.side ?? "right" });
    this.#host.hidden = options.open === false;
    const root = this.#host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    root.append(this.#panel());
    for (const name of HEARD) this.#host.addEventListener(name, this.#keep, { passive: true });
    this.#sizes = new ResizeObserver(() => this.#resize());
    this.#sizes.observe(this.#graphs);
    this.#dark.addEventListener("change", this.#recolour);
    (options.parent ?? document.body).appendChild(this.#host);
    this.#began = this.#now();
    this.#sample();
  }

  /** Whether it shows. */
  get open(): boolean {
    return !this.#host.hidden;
  }

  /** Its colours. */
  get theme(): Theme {
    return this.#host.dataset["theme"] as Theme;
  }

  /** For pages that have a switch. */
  set theme(theme: Theme) {
    this.#host.dataset["theme"] = theme;
    this.#colours = undefined;
    this.#draw();
  }

  /** What happened since the overlay began, the oldest first; the newest 50. */
  get incidents(): readonly Incident[] {
    return this.#probe.incidents;
  }

  /** Shows it. The focus stays where it is. */
  show(): void {
    this.#host.hidden = false;
    this.#draw();
  }

  /** Hides it; it goes on sampling. */
  hide(): void {
    this.#host.hidden = true;
  }

  /** Shows it, or hides it. */
  toggle(): void {
    if (this.open) this.hide();
    else this.show();
  }

  /** Takes it from the page and stops its timer. More than once does nothing more. */
  close(): void {
    this.#cancel();
    this.#cancel = () => {};
    this.#sizes.disconnect();
    this.#dark.removeEventListener("change", this.#recolour);
    this.#host.remove();
  }

  #panel(): HTMLElement {
    const told = { "aria-label": "Hide the diagnostics", title: "Hide (Escape)" };
    const hide = make("button", { type: "button", class: "icon", ...told }, "×");
    hide.addEventListener("click", () => this.hide());
    this.#freeze.addEventListener("click", () => {
      this.#frozen = this.#frozen === undefined ? this.#now() : undefined;
      this.#freeze.setAttribute("aria-pressed", String(this.#frozen !== undefined));
      this.#draw();
    });
    this.#graphs.addEventListener("pointermove", (e) => this.#point(e.clientX));
    this.#graphs.addEventListener("pointerleave", () => this.#point(undefined));
    return make("section", { class: "panel", "aria-label": "Network diagnostics" },
      make("header", {},
        make("h2", {}, "Network"),
        make("div", { class: "state" }, this.#dot, this.#state),
        this.#freeze,
        hide,
      ),
      make("div", { class: "body" },
        this.#graphs,
        make("div", { class: "part" }, make("h3", {}, "Incidents"), this.#log, this.#counts),
        ...(this.#controls ? [this.#controls.element] : []),
      ),
    );
  }

  /** Keeps what is done in the overlay from the game below it. */
  readonly #keep = (event: Event): void => {
    const key = event instanceof KeyboardEvent ? event : undefined;
    if (key?.code === "Backquote") return;
    if (key?.type === "keydown" && key.key === "Escape") this.hide();
    event.stopPropagation();
  };

  readonly #recolour = (): void => {
    this.#colours = undefined;
  };

  #point(clientX: number | undefined): void {
    const box = this.#rows[0]!.graph.canvas.getBoundingClientRect();
    const part = clientX === undefined ? -1 : (clientX - box.left) / box.width;
    this.#pointer = part >= 0 && part < 1 ? part : undefined;
    this.#draw();
  }

  #resize(): void {
    for (const { graph } of this.#rows) {
      const { clientWidth, clientHeight } = graph.canvas;
      if (clientWidth > 0) graph.resize(clientWidth, clientHeight, devicePixelRatio);
    }
    this.#draw();
  }

  #sample(): void {
    this.#probe.sample(this.#now());
    if (++this.#samples % DRAW_EVERY === 0 && this.open && !document.hidden) this.#draw();
    this.#cancel = this.#schedule(() => this.#sample(), SAMPLE_MS);
  }

  #draw(): void {
    if (!this.open) return;
    const slow = this.#draws++ % SLOW_EVERY === 0 || this.#pointer !== undefined;
    if (slow) this.#colours = undefined; // a page may style the host
    const m = this.#moment();
    for (const row of this.#rows) row.show(m, slow);
    this.#tellState(m.cursor === undefined ? undefined : m.span.now - timeOf(m.cursor, m.span));
    this.#tellIncidents();
    this.#controls?.show();
  }

  #moment(): Moment {
    const now = this.#frozen ?? this.#now();
    const span: Span = { now, columnMs: COLUMN_MS, columns: WINDOW_MS / COLUMN_MS };
    const cursor = this.#pointer === undefined ? undefined : Math.floor(this.#pointer * span.columns);
    return {
      probe: this.#probe,
      span,
      cursor,
      since: now - WINDOW_MS,
      marks: this.incidents.map(({ at }) => columnOf(at, span)).filter((c) => c >= 0 && c < span.columns),
      rate: this.#match.info.rate,
      colours: (this.#colours ??= this.#readColours()),
    };
  }

  #readColours(): Colours {
    const style = getComputedStyle(this.#host);
    const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
    return {
      ink: of("ink"), soft: of("soft"), grid: of("grid"), surface: of("surface"), bad: of("bad"), mark: of("mark"),
      rest: of("rest"),
      series: [of("c0"), of("c1"), of("c2"), of("c3"), of("c4")],
    };
  }

  #tellState(ago: number | undefined): void {
    const { state, info, stats } = this.#match;
    this.#dot.dataset["state"] = state;
    this.#state.title = `room ${info.room}, epoch ${info.epoch}`;
    const now = `${state} · ${info.seat === 0 ? "watching" : `seat ${info.seat}`}`;
    setText(this.#state, ago === undefined ? now : `${(ago / 1000).toFixed(1)} s ago`);
    const counts = [
      [stats.takeover?.count ?? 0, "takeovers"], [stats.resumes, "resumes"], [stats.shed, "inputs shed"],
      [stats.decodeErrors + stats.hashMismatches, "decode errors"],
    ] as const;
    setText(this.#counts, counts.map(([n, what]) => `${what} ${n}`).join(" · "));
  }

  #tellIncidents(): void {
    const { incidents } = this;
    if (this.#log.childElementCount > 0 && this.#told === incidents.at(-1)) return;
    this.#told = incidents.at(-1);
    const items = incidents.slice(-SHOWN).reverse().map(({ at, kind, text }) =>
      make("li", { class: kind }, make("span", { class: "at" }, clock(at - this.#began)), make("span", {}, text)));
    this.#log.replaceChildren(...(items.length > 0 ? items : [make("li", { class: "empty" }, "None so far.")]));
  }
}

/** A time since the overlay began. */
function clock(ms: number): string {
  const s = Math.floor(ms / 1000);
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}
