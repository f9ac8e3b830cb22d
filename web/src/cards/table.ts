// The table: everything of it that is drawn, from what is seen.

import { byId, make, setText, show } from "../shared/dom.ts";
import { back, face, suitIcon } from "./face.ts";
import { fly } from "./flight.ts";
import { Hand } from "./hand.ts";
import { Notice } from "./notice.ts";
import { Other, Plate } from "./plates.ts";
import type { Mine, OnPile, Seen } from "./seen.ts";
import { turn, wanted, type Who } from "./words.ts";
import { keyOf, nameOf } from "./world.ts";

const SHOWN = 7; // cards of the pile
const SAID = 4; // lines
const TOAST = 5000; // ms

/** What a player can do at the table. */
export interface Acts {
  play(mine: Mine): void;
  draw(): void;
  pass(): void;
  ready(): void;
  instead(): void;
}

export class Table {
  readonly hand: Hand;
  readonly #notice: Notice;
  readonly #root = byId("table", HTMLElement);
  readonly #felt = byId("felt", HTMLElement);
  readonly #others = byId("others", HTMLUListElement);
  readonly #pile = byId("pile", HTMLElement);
  readonly #stock = byId("stock", HTMLButtonElement);
  readonly #stack = byId("stack", HTMLElement);
  readonly #stockCount = byId("stock-count", HTMLElement);
  readonly #wanted = byId("wanted", HTMLElement);
  readonly #wantedIcon = byId("wanted-icon", HTMLElement);
  readonly #wantedText = byId("wanted-text", HTMLElement);
  readonly #title = byId("table-title", HTMLElement);
  readonly #target = byId("table-target", HTMLElement);
  readonly #turn = byId("turn", HTMLElement);
  readonly #draw = byId("draw", HTMLButtonElement);
  readonly #pass = byId("pass", HTMLButtonElement);
  readonly #said = byId("said", HTMLElement);
  readonly #toast = byId("toast", HTMLElement);
  readonly #mine = new Plate(byId("mine", HTMLElement));
  readonly #by = new Map<number, Other>(); // by places
  #piled = new Map<number, HTMLElement>();
  #seen: Seen | undefined;
  #toastTimer: ReturnType<typeof setTimeout> | undefined;
  #code = "";
  #acts: Acts | undefined; // of the match that is played here

  constructor() {
    this.hand = new Hand(byId("hand", HTMLUListElement), (mine) => this.#acts?.play(mine));
    this.#notice = new Notice({ ready: () => this.#acts?.ready(), instead: () => this.#acts?.instead() });
    for (const button of [this.#stock, this.#draw]) button.addEventListener("click", () => this.#acts?.draw());
    this.#pass.addEventListener("click", () => this.#acts?.pass());
  }

  /** Shows an empty table, for a match whose player acts so. */
  open(acts: Acts, code: string): void {
    this.#acts = acts;
    this.#code = code;
    this.#seen = undefined;
    this.#by.clear();
    this.#others.replaceChildren();
    this.#pile.replaceChildren();
    this.#piled.clear();
    this.#said.replaceChildren();
    this.#notice.hide();
    this.hand.show([], false, undefined);
    show(byId("room-code", HTMLElement), code !== "");
    setText(byId("room-code-text", HTMLElement), code);
    this.toast("");
    this.link(true);
    show(this.#root, true);
  }

  close(): void {
    this.#acts = undefined;
    show(this.#root, false);
  }

  /** Shows what is seen now. who names seats. */
  show(seen: Seen, who: Who): void {
    const first = this.#seen === undefined;
    const { round, me } = seen;
    setText(this.#title, round.Number ? `Round ${round.Number}` : "Cards");
    setText(this.#target, round.Number ? ` · first to ${round.Target}` : "");
    this.#showOthers(seen, first);
    show(byId("own", HTMLElement), true);
    if (me) this.#mine.show(me, { turn: seen.myTurn, own: true, ready: me.Ready && round.Phase !== "Playing" });
    show(this.#mine.root, me !== undefined);
    this.#showPile(seen, first); // while the hand still has what was played
    this.hand.show(seen.hand, seen.myTurn, first ? undefined : this.#stack.getBoundingClientRect());
    this.#showStock(seen);
    setText(this.#turn, turn(round, seen.top, seen.canPlay, seen.canDraw, who));
    this.#root.classList.toggle("my-turn", seen.myTurn);
    if (seen.myTurn && !this.#seen?.myTurn && (this.hand.focused || document.activeElement === document.body)) this.hand.focus();
    this.#notice.show(seen, who, this.#code);
    this.#seen = seen;
  }

  /** Moves the clocks on; tick is the present with its fraction. */
  time(tick: number): void {
    const round = this.#seen?.round;
    if (!round || !this.#seen) return;
    const left = round.Ends > round.Began ? (round.Ends - tick) / (round.Ends - round.Began) : undefined;
    if (round.Phase === "Playing") {
      if (this.#seen.myTurn) this.#mine.time(left);
      else {
        const chair = this.#seen.chairs.find((c) => c.Owner === round.Turn);
        if (chair) this.#by.get(chair.Place)?.plate.time(left);
      }
    } else this.#notice.time(round.Ends ? Math.max(0, round.Ends - tick) : undefined);
  }

  /** Says what has happened. */
  say(text: string): void {
    this.#said.append(make("p", "", text));
    while (this.#said.childElementCount > SAID) this.#said.firstElementChild?.remove();
  }

  /** Says why something was refused; "" takes it away. */
  toast(text: string): void {
    clearTimeout(this.#toastTimer);
    this.#toast.classList.toggle("shown", text !== "");
    if (!text) return; // it fades with what it says
    this.#toast.textContent = text; // also the same again: it is told again
    this.#toastTimer = setTimeout(() => this.toast(""), TOAST);
  }

  /** Says whether the server is there. */
  link(up: boolean): void {
    show(byId("link", HTMLElement), !up);
    this.#root.classList.toggle("cut", !up);
  }

  #showOthers(seen: Seen, first: boolean): void {
    const others = seen.chairs.filter((c) => c !== seen.me);
    for (const [place, other] of this.#by) {
      if (others.some((c) => c.Place === place)) continue;
      other.root.remove();
      this.#by.delete(place);
    }
    for (const [i, chair] of others.entries()) {
      let other = this.#by.get(chair.Place);
      if (!other) this.#by.set(chair.Place, (other = new Other()));
      if (this.#others.children[i] !== other.root) this.#others.insertBefore(other.root, this.#others.children[i] ?? null);
      const { Phase, Turn } = seen.round;
      other.plate.show(chair, { turn: Phase === "Playing" && Turn === chair.Owner, own: false, ready: chair.Ready && Phase !== "Playing" });
      const fresh = other.show(chair.Cards, seen.open.get(chair.Owner));
      if (!first) fresh.forEach((card, n) => fly(card, this.#stack.getBoundingClientRect(), fresh.length > 2 ? n : 0));
    }
    this.#felt.dataset["others"] = String(others.length);
  }

  #showPile(seen: Seen, first: boolean): void {
    const shown = seen.pile.slice(-SHOWN);
    const numbers = new Set(shown.map((p) => p.n));
    if (shown.length === 0 || seen.pile[0]!.n === 1 && this.#seen && this.#seen.round.Number !== seen.round.Number) {
      this.#pile.replaceChildren();
      this.#piled.clear();
    }
    for (const [n, element] of this.#piled) {
      if (numbers.has(n)) continue;
      element.remove();
      this.#piled.delete(n);
    }
    for (const p of shown) {
      if (this.#piled.has(p.n)) continue;
      const card = make("span", "card", face(p.card));
      card.style.setProperty("--turn", `${((p.n * 37) % 23) - 11}deg`);
      card.style.setProperty("--x", `${((p.n * 53) % 13) - 6}px`);
      this.#pile.append(card);
      this.#piled.set(p.n, card);
      if (!first) fly(card, this.#origin(p, seen));
    }
    const top = seen.top;
    this.#pile.setAttribute("aria-label", top ? `On the pile: ${nameOf(top)}` : "The pile is empty");
    show(this.#wanted, seen.round.Phase === "Playing");
    if (seen.round.Phase === "Playing" && seen.round.Wanted !== "None") {
      if (this.#wantedIcon.dataset["suit"] !== seen.round.Wanted) {
        this.#wantedIcon.dataset["suit"] = seen.round.Wanted;
        this.#wantedIcon.replaceChildren(suitIcon(seen.round.Wanted));
      }
      setText(this.#wantedText, wanted(seen.round, top));
    }
  }

  /** Where a card of the pile has come from. */
  #origin(p: OnPile, seen: Seen): DOMRect | undefined {
    if (p.by === seen.own) return this.hand.rect(keyOf(p.card));
    const chair = seen.chairs.find((c) => c.Owner === p.by);
    return chair ? this.#by.get(chair.Place)?.at : this.#stack.getBoundingClientRect();
  }

  #showStock(seen: Seen): void {
    const want = Math.min(4, Math.ceil(seen.round.Stock / 8));
    while (this.#stack.childElementCount > want) this.#stack.lastElementChild?.remove();
    while (this.#stack.childElementCount < want) {
      const card = make("span", "card", back());
      card.style.setProperty("--i", String(this.#stack.childElementCount));
      this.#stack.append(card);
    }
    setText(this.#stockCount, String(seen.round.Stock));
    const label = `Draw a card, ${seen.round.Stock} left in the stock`;
    if (this.#stock.getAttribute("aria-label") !== label) this.#stock.setAttribute("aria-label", label);
    this.#stock.classList.toggle("can", seen.canDraw);
    this.#stock.classList.toggle("must", seen.canDraw && !seen.canPlay);
    this.#draw.classList.toggle("primary", seen.canDraw && !seen.canPlay);
    this.#draw.classList.toggle("plain", !(seen.canDraw && !seen.canPlay));
    this.#draw.disabled = !seen.canDraw;
    this.#pass.disabled = !seen.canPass;
    this.#pass.classList.toggle("primary", seen.canPass && !seen.canPlay);
    this.#pass.classList.toggle("plain", !(seen.canPass && !seen.canPlay));
    const playing = seen.round.Phase === "Playing";
    this.#stock.disabled = !playing || !seen.me;
    show(byId("middle", HTMLElement), seen.round.Phase !== "Waiting");
    show(this.#draw.parentElement!, playing && seen.me !== undefined);
  }
}
