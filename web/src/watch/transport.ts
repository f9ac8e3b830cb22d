// The bar below a replay: play, seek, step, speed, and what happened when.

import type { ReplayControl, ReplayMark, ReplayState } from "@muster/client";
import { byId, make, setText, show } from "../shared/dom.ts";
import { sentence } from "../shared/sentence.ts";
import { minutes, nextSpeed, SPEEDS } from "./time.ts";

const JUMP = 5; // seconds

const WORDS: Readonly<Record<ReplayMark["kind"], string>> = {
  joined: "joined", dropped: "lost the connection", resumed: "is back", left: "left", started: "The match starts",
  missing: "Ticks before this were not recorded", skipped: "The rules had failed",
};

export class Transport {
  readonly #bar = byId("transport", HTMLElement);
  readonly #play = byId("play", HTMLButtonElement);
  readonly #slider = byId("seek", HTMLInputElement);
  readonly #speed = byId("speed", HTMLSelectElement);
  readonly #marks = byId("marks", HTMLElement);
  readonly #moments = byId("moments", HTMLSelectElement);
  readonly #time = byId("time", HTMLElement);
  readonly #tick = byId("tick", HTMLElement);
  readonly #hash = byId("hash", HTMLElement);
  readonly #says = byId("transport-says", HTMLElement);
  readonly #want: (c: ReplayControl) => void;
  #s: ReplayState | undefined;
  #shown = 0; // the tick that the newest frame has
  #held = false; // the slider is in somebody's hand
  #target: number | undefined; // where it was let go, until it is there
  #may = false;

  constructor(want: (c: ReplayControl) => void) {
    this.#want = want;
    for (const s of SPEEDS) this.#speed.append(new Option(`${s}×`, String(s)));
    this.#play.addEventListener("click", () => this.toggle());
    byId("back", HTMLButtonElement).addEventListener("click", () => this.step(-1));
    byId("on", HTMLButtonElement).addEventListener("click", () => this.step(1));
    this.#slider.addEventListener("input", () => {
      this.#held = true;
      this.#seek(Number(this.#slider.value));
    });
    this.#slider.addEventListener("change", () => (this.#held = false));
    this.#speed.addEventListener("change", () => this.speed(Number(this.#speed.value)));
    this.#moments.addEventListener("change", () => {
      if (this.#moments.value) this.#seek(Number(this.#moments.value));
      this.#moments.value = "";
    });
  }

  /** Shows the bar for a session. may says whether it can be controlled from here. */
  open(s: ReplayState, marks: readonly ReplayMark[], may: boolean): void {
    this.#may = may;
    this.#shown = s.tick;
    this.#target = undefined;
    this.#held = false;
    show(this.#bar, true);
    this.#bar.classList.toggle("follows", !may);
    for (const control of this.#bar.querySelectorAll<HTMLButtonElement | HTMLInputElement | HTMLSelectElement>("button, input, select")) control.disabled = !may;
    this.#slider.min = String(s.from);
    this.state(s);
    this.#mark(marks, s);
  }

  close(): void {
    show(this.#bar, false);
    this.#s = undefined;
  }

  /** How the session stands. */
  state(s: ReplayState): void {
    this.#s = s;
    this.#slider.max = String(s.to);
    if (![...this.#speed.options].some((o) => Number(o.value) === s.speed)) this.#speed.append(new Option(`${s.speed}×`, String(s.speed)));
    this.#speed.value = String(s.speed);
    setText(this.#hash, s.hash_tick === this.#shown ? s.hash : "");
    this.#hash.title = s.proof === "same" ? "The state's hash; the recording has the same" : "The state's hash, as the rules made it here";
    this.#hash.dataset["proof"] = s.hash_tick === this.#shown ? (s.proof ?? "") : "";
    this.#draw();
  }

  /** A frame shows a tick. */
  frame(tick: number): void {
    if (tick === this.#shown) return;
    this.#shown = tick;
    if (tick === this.#target) this.#target = undefined;
    if (this.#s && tick >= this.#s.to && !this.#s.paused && this.#target === undefined) this.#s = { ...this.#s, paused: true }; // as the server does
    if (this.#s && this.#s.hash_tick !== tick) {
      setText(this.#hash, "");
      this.#hash.dataset["proof"] = "";
    }
    this.#draw();
  }

  /** Plays or pauses; at the end it begins anew. */
  toggle(): void {
    const s = this.#s;
    if (!s || !this.#may) return;
    if (!s.paused) return this.#say({ paused: true });
    const atEnd = (this.#target ?? this.#shown) >= s.to;
    if (atEnd) this.#target = s.from;
    this.#say(atEnd ? { tick: s.from, paused: false } : { paused: false });
  }

  /** Goes on or back by ticks, and stays there. */
  step(ticks: number): void {
    const s = this.#s;
    if (s && this.#may) this.#seek((this.#target ?? this.#shown) + ticks, true);
  }

  speed(speed: number): void {
    if (this.#s && this.#may) this.#say({ speed });
  }

  /** What a key does; whether it does anything. */
  key(e: { key: string; shiftKey: boolean }): boolean {
    const s = this.#s;
    if (!s || !this.#may) return false;
    const far = e.shiftKey ? JUMP * s.rate : 1;
    switch (e.key) {
      case " ":
        this.toggle();
        return true;
      case "ArrowLeft":
      case "ArrowRight": {
        const by = e.key === "ArrowLeft" ? -far : far;
        if (e.shiftKey) this.#seek((this.#target ?? this.#shown) + by);
        else this.step(by);
        return true;
      }
      case "Home":
        this.#seek(s.from);
        return true;
      case "End":
        this.#seek(s.to);
        return true;
      case "<":
      case ">":
        this.speed(nextSpeed(s.speed, e.key === ">"));
        return true;
      default:
        return false;
    }
  }

  /** Goes to a tick, within the recording. */
  #seek(tick: number, stay = false): void {
    const s = this.#s;
    if (!s || !this.#may) return;
    this.#target = Math.min(s.to, Math.max(s.from, Math.round(tick)));
    this.#say(stay ? { tick: this.#target, paused: true } : { tick: this.#target });
  }

  /** Sends a wish, and shows it as if it were done. */
  #say(c: ReplayControl): void {
    if (c.paused !== undefined) this.#s = { ...this.#s!, paused: c.paused };
    if (c.speed !== undefined) this.#s = { ...this.#s!, speed: c.speed };
    this.#want(c);
    this.#draw();
  }

  #draw(): void {
    const s = this.#s;
    if (!s) return;
    const at = this.#target ?? this.#shown;
    if (!this.#held && this.#slider.value !== String(at)) this.#slider.value = String(at);
    const time = `${minutes(at - s.from, s.rate)} of ${minutes(s.to - s.from, s.rate)}`;
    this.#slider.setAttribute("aria-valuetext", `${time}, tick ${at}`);
    this.#slider.style.setProperty("--done", `${s.to > s.from ? (100 * (at - s.from)) / (s.to - s.from) : 0}%`);
    setText(this.#time, `${minutes(this.#shown - s.from, s.rate, true)} / ${minutes(s.to - s.from, s.rate)}`);
    setText(this.#tick, String(this.#shown));
    const label = s.paused ? (this.#shown >= s.to && this.#target === undefined ? "Play again" : "Play") : "Pause";
    if (this.#play.getAttribute("aria-label") !== label) this.#play.setAttribute("aria-label", label);
    this.#play.dataset["shows"] = s.paused ? "play" : "pause";
    this.#speed.value = String(s.speed);
    setText(this.#says, this.#words(s));
  }

  #words(s: ReplayState): string {
    if (s.failed) return sentence(s.failed);
    if (this.#target !== undefined && s.seeking) {
      return `Seeking, tick ${this.#shown} of ${this.#target}`;
    }
    if (!this.#may) return "You follow along: who opened the replay controls it.";
    if (s.truncated && this.#shown >= s.to) return "The recording breaks off here.";
    if (this.#shown >= s.to) return "The end of the recording.";
    return "";
  }

  #mark(marks: readonly ReplayMark[], s: ReplayState): void {
    this.#moments.replaceChildren(new Option("Go to …", ""));
    this.#marks.replaceChildren();
    const long = Math.max(1, s.to - s.from);
    for (const m of marks) {
      const text = m.name ? `${m.name} ${WORDS[m.kind]}` : WORDS[m.kind];
      this.#moments.append(new Option(`${minutes(m.tick - s.from, s.rate)}  ${text}`, String(m.tick)));
      const dot = make("i", m.kind);
      dot.style.left = `${(100 * (m.tick - s.from)) / long}%`;
      dot.title = text;
      this.#marks.append(dot);
    }
    show(this.#moments, marks.length > 0);
  }
}
