// What is said in the middle of the table while no round is played: who is waited for, and who has won.

import { byId, make, setText, show } from "../shared/dom.ts";
import { ranking, type Seen } from "./seen.ts";
import { count, type Who } from "./words.ts";

const RATE = 10; // ticks a second

export class Notice {
  readonly #root = byId("notice", HTMLElement);
  readonly #title = byId("notice-title", HTMLElement);
  readonly #text = byId("notice-text", HTMLElement);
  readonly #scores = byId("notice-scores", HTMLOListElement);
  readonly #ready = byId("ready", HTMLButtonElement);
  readonly #instead = byId("instead", HTMLButtonElement);
  readonly #invite = byId("invite", HTMLButtonElement);
  #label = "";
  #drawn = "";

  constructor(on: { ready(): void; instead(): void }) {
    this.#ready.addEventListener("click", () => on.ready());
    this.#instead.addEventListener("click", () => on.instead());
  }

  hide(): void {
    show(this.#root, false);
    this.#drawn = "";
  }

  /** Shows what the phase asks for; code is the table's, "" for one who waits in the queue and could play bots. */
  show(seen: Seen, who: Who, code: string): void {
    const { round, me, chairs } = seen;
    if (round.Phase === "Playing") return this.hide();
    const few = chairs.length < 2;
    const begins = round.Phase === "Waiting";
    setText(this.#title, begins ? (few ? "Nobody else is here yet" : `${chairs.length} at the table`) : won(seen, who));
    setText(this.#text, begins
      ? few ? code ? `Send your friends the code ${code}, or the link. Two can begin.` : "The cards are dealt when a second player sits down." : "The cards are dealt when all are ready, or the time is over."
      : round.Phase === "Scored" ? `All hands lie open. The first with ${round.Target} points wins the match.` : "All hands lie open.");
    this.#label = begins ? "Deal now" : "Next round";
    show(this.#ready, me !== undefined && !few && round.Phase !== "Over");
    this.#ready.disabled = me?.Ready ?? true;
    show(this.#instead, begins && few && code === "");
    show(this.#invite, begins && few && code !== "");
    show(this.#scores, !begins);
    const key = JSON.stringify(ranking(chairs).map(({ chair: c }) => [c.Name, c.Score, c.Ready, c.Owner]));
    if (!begins && key !== this.#drawn) this.#scores.replaceChildren(...standing(seen));
    this.#drawn = begins ? "" : key;
    const was = this.#root.hidden;
    show(this.#root, true);
    if (was && document.activeElement === document.body && !this.#ready.hidden) this.#ready.focus({ preventScroll: true });
  }

  /** Says how many ticks are left. */
  time(ticks: number | undefined): void {
    const seconds = ticks === undefined ? "" : ` (${Math.ceil(ticks / RATE)})`;
    setText(this.#ready, this.#ready.disabled ? `Ready, waiting for the others${seconds}` : `${this.#label}${seconds}`);
  }
}

function won({ round, own }: Seen, who: Who): string {
  if (!round.Winner) return "A draw";
  const what = round.Phase === "Over" ? "match" : "round";
  return round.Winner === own ? `You win the ${what}` : `${who.name(round.Winner)} wins the ${what}`;
}

/** The rows of a list of who has how many points. */
export function standing(seen: Pick<Seen, "chairs" | "own">): HTMLLIElement[] {
  return ranking(seen.chairs).map(({ chair, rank }) =>
    make(
      "li", chair.Owner === seen.own ? "mine" : "",
      make("span", "rank", String(rank)),
      make("span", "name", chair.Name),
      make("span", "note", chair.Bot ? "bot" : chair.Away ? "away" : chair.Ready ? "ready" : ""),
      make("span", "points", count(chair.Score, "point")),
    ));
}
