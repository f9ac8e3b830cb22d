// The end of a round: who won, the three best on their blocks, everybody else below.

import { hull, seatColour } from "./colours.ts";
import { byId, make, polygon, setText, show } from "../shared/dom.ts";
import { shortlist, type Rank } from "./ranking.ts";

/** How many seconds the podium stays after the room is gone, before the next match. */
export const PODIUM_PAUSE = 3;

const ROWS = 16;

export class PodiumScreen {
  readonly #root = byId("podium", HTMLElement);
  readonly #title = byId("podium-title", HTMLElement);
  readonly #places = byId("podium-places", HTMLOListElement);
  readonly #status = byId("podium-status", HTMLElement);
  #drawn = ""; // what the places show now

  constructor(on: { again: () => void; leave: () => void }) {
    byId("again", HTMLButtonElement).addEventListener("click", on.again);
    // Enter goes on from the title, too. The space bar does not: who fires up to the end would be gone at once.
    this.#title.addEventListener("keydown", (e) => {
      if (e.key === "Enter" && !e.repeat) on.again();
    });
    byId("podium-leave", HTMLButtonElement).addEventListener("click", on.leave);
  }

  get open(): boolean {
    return !this.#root.hidden;
  }

  /** Shows a ranking, at each picture. winner is a seat, 0 for a draw. */
  show(ranks: Rank[], winner: number, own: number): void {
    const best = ranks.find((r) => r.seat === winner);
    setText(this.#title, best ? (winner === own ? "You win" : `${best.name} wins`) : "A draw");
    this.#root.style.setProperty("--winner", best ? seatColour(winner) : "var(--text)");
    const rows = shortlist(ranks, own, ROWS);
    const key = JSON.stringify([own, rows]);
    if (key !== this.#drawn) this.#places.replaceChildren(...rows.map((r, i) => place(r, i, own)));
    this.#drawn = key;
    if (this.open) return;
    setText(this.#status, "");
    show(this.#root, true);
    this.#title.focus({ preventScroll: true });
  }

  status(text: string): void {
    setText(this.#status, text);
  }

  /** Says how long it is until the next match. */
  countdown(seconds: number): void {
    this.status(`Next match in ${Math.max(1, Math.ceil(seconds))} s`);
  }

  hide(): void {
    show(this.#root, false);
  }
}

function place(r: Rank, index: number, own: number): HTMLLIElement {
  const block = make(
    "li",
    `${index < 3 ? `block place-${index + 1}` : "rest"}${r.seat === own ? " mine" : ""}`,
    make("span", "rank", r.rank ? String(r.rank) : ""),
    polygon(hull(r.seat), "hull-icon"),
    make("span", "name", r.name),
    make("span", "score", r.score === 1 ? "1 kill" : `${r.score} kills`),
  );
  block.style.setProperty("--seat", seatColour(r.seat));
  return block;
}
