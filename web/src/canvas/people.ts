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

const FACES = 5; // at most
const FEW = 3; // on a small screen
const small = matchMedia("(width < 560px)");
const DOING: Readonly<Record<Person["on"], string>> = { Nowhere: "looks", OnBoard: "draws", InText: "writes" };

export class People {
  readonly #faces = byId("faces", HTMLElement);
  readonly #list = byId("people-list", HTMLElement);
  readonly #open = byId("people-open", HTMLButtonElement);
  #shown = "";

  /** Shows who is here: oneself first, then by number. */
  show(people: readonly Person[]): void {
    const sorted = [...people].sort((a, b) => Number(b.me) - Number(a.me) || a.author - b.author);
    const most = small.matches ? FEW : FACES;
    const key = JSON.stringify([most, sorted]);
    if (key === this.#shown) return;
    this.#shown = key;
    const few = sorted.length > most ? sorted.slice(0, most - 1) : sorted;
    this.#faces.replaceChildren(...few.map((p) => face(p)));
    if (few.length < sorted.length) this.#faces.append(disc("face more", `+${sorted.length - few.length}`));
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
  const element = disc(away ? "face away" : "face", initials(name));
  element.style.setProperty("--who", personStyle(author));
  element.title = name;
  return element;
}

/** A disc with a few letters, which are no text: names stand beside it. */
function disc(name: string, letters: string): HTMLElement {
  const element = make("span", name);
  element.dataset["letters"] = letters;
  element.setAttribute("aria-hidden", "true");
  return element;
}
