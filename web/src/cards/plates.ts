// Plates: who sits there, with a ring that runs out with their time.

import { make, setText, show } from "../shared/dom.ts";
import { back, face } from "./face.ts";
import type { Card, Chair } from "./world.ts";
import { count } from "./words.ts";

const SPACE = "http://www.w3.org/2000/svg";
const MOST_BACKS = 12; // that are drawn of a hand; the number says the rest

/** One player's plate. */
export class Plate {
  readonly root = make("div", "plate");
  readonly #name = make("b", "name");
  readonly #mark = make("span", "marks");
  readonly #score = make("span", "score");
  readonly #letter = make("span", "letter");
  readonly #ring: SVGCircleElement;

  constructor(into?: HTMLElement) {
    if (into) {
      this.root = into as HTMLDivElement;
      into.replaceChildren();
    }
    const svg = document.createElementNS(SPACE, "svg");
    svg.setAttribute("viewBox", "0 0 48 48");
    svg.setAttribute("aria-hidden", "true");
    const circle = (name: string) => {
      const c = document.createElementNS(SPACE, "circle");
      for (const [k, v] of Object.entries({ cx: 24, cy: 24, r: 21, pathLength: 100, class: name })) c.setAttribute(k, String(v));
      svg.append(c);
      return c;
    };
    circle("track");
    this.#ring = circle("time");
    this.root.append(make("span", "face-of", svg, this.#letter), make("span", "who", this.#name, make("span", "below", this.#score, this.#mark)));
  }

  show(chair: Chair, at: { turn: boolean; own: boolean; ready: boolean }): void {
    setText(this.#name, at.own ? `${chair.Name} (you)` : chair.Name);
    setText(this.#letter, [...chair.Name][0]?.toUpperCase() ?? "?");
    setText(this.#score, count(chair.Score, "point"));
    setText(this.#mark, chair.Bot ? "bot" : chair.Away ? "away" : at.ready ? "ready" : "");
    this.root.classList.toggle("acting", at.turn);
    this.root.classList.toggle("away", chair.Away);
    this.root.dataset["place"] = String(chair.Place);
    if (!at.turn) this.time(undefined);
  }

  /** Shows the part of the time that is left, from 0 to 1; undefined for none. */
  time(left: number | undefined): void {
    this.#ring.style.strokeDashoffset = String(100 - 100 * Math.max(0, Math.min(1, left ?? 0)));
    this.#ring.classList.toggle("late", left !== undefined && left < 0.25);
  }
}

/** Another player: a plate, and a hand of which the number is known. */
export class Other {
  readonly root = make("li", "other");
  readonly plate = new Plate();
  readonly #fan = make("div", "fan");
  readonly #count = make("span", "count");
  readonly #hand = make("div", "others-hand", this.#fan, this.#count);
  #drawn = "";

  constructor() {
    this.root.append(this.plate.root, this.#hand);
  }

  /** Where cards come from and go to. */
  get at(): DOMRect {
    return this.#fan.getBoundingClientRect();
  }

  /** Shows backs, or cards where they lie open. Returns the backs that are new. */
  show(cards: number, open: readonly Card[] | undefined): HTMLElement[] {
    setText(this.#count, count(cards, "card"));
    const key = open?.length ? `open ${open.map((c) => c.rank + c.suit).join()}` : `shut ${Math.min(cards, MOST_BACKS)}`;
    if (key === this.#drawn) return [];
    const shut = this.#drawn.startsWith("shut");
    this.#drawn = key;
    const before = shut ? this.#fan.childElementCount : 0;
    if (open?.length || !shut) this.#fan.replaceChildren();
    const want = open?.length ? open.length : Math.min(cards, MOST_BACKS);
    while (this.#fan.childElementCount > want) this.#fan.lastElementChild?.remove();
    const fresh: HTMLElement[] = [];
    for (let i = this.#fan.childElementCount; i < want; i++) {
      const card = make("span", "card small", open?.[i] ? face(open[i]!) : back());
      this.#fan.append(card);
      if (!open?.length && i >= before) fresh.push(card);
    }
    [...this.#fan.children].forEach((card, i) => {
      (card as HTMLElement).style.setProperty("--i", String(i));
    });
    this.#fan.style.setProperty("--n", String(want));
    this.#fan.classList.toggle("open", Boolean(open?.length));
    show(this.#hand, cards > 0 || Boolean(open?.length));
    return fresh;
  }
}
