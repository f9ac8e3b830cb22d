// Who is here: faces in the bar on top, names in a list behind them, and what one is called oneself.

import { byId, make, setText } from "../shared/dom.ts";
import { initials, personStyle } from "./palette.ts";

/** Somebody who is here. */
export interface Person {
  /** The author's number, which counts from 1. */
  readonly author: number;
  readonly name: string;
  /** The connection is lost, for now. */
  readonly away: boolean;
  readonly me: boolean;
  readonly on: "Nowhere" | "OnBoard" | "InText";
}

const FACES = 5;
const DOING: Readonly<Record<Person["on"], string>> = { Nowhere: "looks", OnBoard: "draws", InText: "writes" };

export class People {
  readonly #faces = byId("faces", HTMLElement);
  readonly #list = byId("people-list", HTMLElement);
  readonly #open = byId("people-open", HTMLButtonElement);
  #shown = "";

  /** Shows who is here: oneself first, then by number. */
  show(people: readonly Person[]): void {
    const sorted = [...people].sort((a, b) => Number(b.me) - Number(a.me) || a.author - b.author);
    const key = JSON.stringify(sorted);
    if (key === this.#shown) return;
    this.#shown = key;
    const few = sorted.length > FACES ? sorted.slice(0, FACES - 1) : sorted;
    this.#faces.replaceChildren(...few.map((p) => face(p)));
    if (few.length < sorted.length) this.#faces.append(make("span", "face more", `+${sorted.length - few.length}`));
    this.#list.replaceChildren(...sorted.map((p) => {
      const name = make("span", "", p.name);
      const what = p.me ? "you" : p.away ? "connection lost" : DOING[p.on];
      return make("li", "", face(p), name, make("i", "", what));
    }));
    this.#open.setAttribute("aria-label", sorted.length === 1 ? "Who is here: only you" : `Who is here: ${sorted.length} people`);
    setText(byId("people-title", HTMLElement), sorted.length === 1 ? "Only you are here" : `${sorted.length} people are here`);
  }
}

function face({ author, name, away }: Person): HTMLElement {
  const element = make("span", away ? "face away" : "face", initials(name));
  element.style.setProperty("--who", personStyle(author));
  element.title = name;
  element.setAttribute("aria-hidden", "true"); // the name stands beside it
  return element;
}
