// The own hand: a fan of cards that are buttons.

import { make, setText } from "../shared/dom.ts";
import { face } from "./face.ts";
import { fly, shake } from "./flight.ts";
import type { Mine } from "./seen.ts";
import { keyOf, nameOf } from "./world.ts";

interface Shown {
  item: HTMLLIElement;
  button: HTMLButtonElement;
  name: HTMLSpanElement; // for who cannot see the card
  mine: Mine;
}

export class Hand {
  readonly #list: HTMLUListElement;
  readonly #cards = new Map<string, Shown>(); // by what they are, in the order of the hand
  #at = ""; // the card that the keyboard is at

  constructor(list: HTMLUListElement, play: (mine: Mine) => void) {
    this.#list = list;
    list.addEventListener("click", (e) => {
      const shown = this.#of(e.target);
      if (shown) play(shown.mine);
    });
    list.addEventListener("focusin", (e) => {
      const shown = this.#of(e.target);
      if (shown) this.#goTo(keyOf(shown.mine.card), false);
    });
    list.addEventListener("keydown", (e) => {
      const keys = [...this.#cards.keys()];
      const at = keys.indexOf(this.#at);
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: keys.length - 1 }[e.key];
      if (to === undefined || keys.length === 0) return;
      e.preventDefault();
      this.#goTo(keys[(to + keys.length) % keys.length]!, true);
    });
    addEventListener("resize", () => this.#fan());
  }

  /** Where a card is, as long as it is there. */
  rect(key: string): DOMRect | undefined {
    return this.#cards.get(key)?.button.getBoundingClientRect();
  }

  /** Puts the keyboard at the first card that fits, else at the first. */
  focus(): void {
    const first = [...this.#cards.values()].find((s) => s.mine.fits) ?? [...this.#cards.values()][0];
    if (first) this.#goTo(keyOf(first.mine.card), true);
  }

  /** Whether the keyboard is in the hand. */
  get focused(): boolean {
    return this.#list.contains(document.activeElement);
  }

  /** Shows a hand. New cards come from a place. */
  show(hand: readonly Mine[], myTurn: boolean, from: DOMRect | undefined): void {
    const had = [...this.#cards.keys()];
    const focused = this.focused;
    const keys = new Set(hand.map((m) => keyOf(m.card)));
    for (const [key, shown] of this.#cards) {
      if (keys.has(key)) continue;
      shown.item.remove();
      this.#cards.delete(key);
    }
    const fresh: HTMLElement[] = [];
    const before = new Map(this.#cards);
    this.#cards.clear();
    for (const [i, mine] of hand.entries()) {
      const key = keyOf(mine.card);
      let shown = before.get(key);
      if (!shown) {
        const name = make("span", "hidden-text");
        const button = make("button", "card", name, face(mine.card));
        button.type = "button";
        shown = { button, name, item: make("li", "", button), mine };
        fresh.push(button);
      }
      shown.mine = mine;
      this.#cards.set(key, shown);
      if (this.#list.children[i] !== shown.item) this.#list.insertBefore(shown.item, this.#list.children[i] ?? null);
      shown.button.classList.toggle("fits", myTurn && mine.fits);
      setText(shown.name, myTurn && mine.fits ? `${nameOf(mine.card)}, fits` : nameOf(mine.card));
    }
    this.#list.classList.toggle("my-turn", myTurn);
    this.#fan();
    fresh.forEach((card, i) => fly(card, from, had.length === 0 ? i : 0));
    if (!this.#cards.has(this.#at)) { // the keyboard goes to what is there now
      const now = [...this.#cards.keys()];
      const next = now[Math.min(Math.max(0, had.indexOf(this.#at)), now.length - 1)];
      this.#goTo(next ?? "", focused);
    } else this.#goTo(this.#at, focused && !this.focused);
  }

  /** Shakes a card that was refused. */
  refuse(id: number): void {
    for (const shown of this.#cards.values()) if (shown.mine.id === id) shake(shown.button);
  }

  #of(target: EventTarget | null): Shown | undefined {
    const item = target instanceof Element ? target.closest("li") : null;
    return [...this.#cards.values()].find((s) => s.item === item);
  }

  #goTo(key: string, focus: boolean): void {
    this.#at = key;
    for (const [k, { button }] of this.#cards) button.tabIndex = k === key ? 0 : -1;
    if (focus) this.#cards.get(key)?.button.focus({ preventScroll: true });
  }

  /** Lays the cards out so that all have place. */
  #fan(): void {
    const n = this.#cards.size;
    this.#list.style.setProperty("--n", String(n));
    [...this.#cards.values()].forEach(({ item }, i) => item.style.setProperty("--i", String(i)));
    const first = this.#list.firstElementChild?.firstElementChild;
    const wide = first instanceof HTMLElement ? first.offsetWidth : 0;
    const place = this.#list.clientWidth - 24;
    const gap = n > 1 ? Math.max(14, Math.min(wide * 0.72, (place - wide) / (n - 1))) : 0;
    this.#list.style.setProperty("--gap", `${gap}px`);
  }
}
