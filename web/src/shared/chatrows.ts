// Messages of a channel as rows of the page. Texts are set as texts: what looks like markup is shown as it is.

import { make } from "./dom.ts";
import type { Line, Talk } from "./talk.ts";

/** What can be done with a row. */
export interface RowActions {
  /** A name was chosen; beside is the row. None: names are texts. */
  name?: ((line: Line, beside: HTMLElement, button: HTMLButtonElement) => void) | undefined;
  /** A message that failed was taken back: its text. */
  dropped(text: string): void;
}

/** Draws a talk into a log. Rows stay as they are while nothing of them changes, so that a screen reader hears each once. */
export class Rows {
  readonly #log: HTMLElement;
  readonly #me: string;
  readonly #actions: RowActions;
  readonly #rows = new Map<string, { drawn: string; row: HTMLElement }>();

  constructor(log: HTMLElement, me: string, actions: RowActions) {
    this.#log = log;
    this.#me = me;
    this.#actions = actions;
  }

  /** Forgets what was drawn, for another talk. */
  clear(): void {
    this.#rows.clear();
    this.#log.replaceChildren();
  }

  /** Draws what differs. Who has read to the end stays there. */
  draw(talk: Talk): void {
    const log = this.#log;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const fromEnd = log.scrollHeight - log.scrollTop;
    const first = log.firstElementChild;
    const lines = talk.lines;
    const keep = new Set<string>();
    let last: Line | undefined;
    let place: Element | null = log.firstElementChild;
    for (const line of lines) {
      const grouped = last !== undefined && last.from === line.from && last.state === "there" && line.at.getTime() - last.at.getTime() < 300_000 && sameDay(last.at, line.at);
      const day = !last || !sameDay(last.at, line.at);
      const drawn = `${line.state} ${line.why} ${grouped} ${day}`;
      let known = this.#rows.get(line.key);
      if (known?.drawn !== drawn) {
        const row = this.#row(talk, line, grouped, day);
        known?.row.replaceWith(row);
        if (known?.row === place) place = row;
        known = { drawn, row };
        this.#rows.set(line.key, known);
      }
      if (known.row === place) place = place.nextElementSibling;
      else log.insertBefore(known.row, place);
      keep.add(line.key);
      last = line;
    }
    for (const [key, { row }] of this.#rows) {
      if (keep.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    if (atEnd) log.scrollTop = log.scrollHeight;
    else if (first && first !== log.firstElementChild) log.scrollTop = log.scrollHeight - fromEnd; // older ones came above
  }

  #row(talk: Talk, line: Line, grouped: boolean, day: boolean): HTMLElement {
    const mine = line.from === this.#me;
    const row = make("div", `line ${line.state}${mine ? " mine" : ""}${grouped ? " grouped" : ""}`);
    if (day) row.append(make("p", sameDay(line.at, new Date()) ? "day today" : "day", dayOf(line.at)));
    const head = make("p", grouped ? "who hidden-text" : "who");
    const name = mine ? "You" : line.name;
    if (this.#actions.name && !mine && !grouped) {
      const button = make("button", "name", name);
      button.type = "button";
      button.setAttribute("aria-haspopup", "true");
      button.setAttribute("aria-expanded", "false");
      button.setAttribute("aria-label", `${name}: what can be done`);
      button.addEventListener("click", () => this.#actions.name?.(line, row, button));
      head.append(button);
    } else {
      head.append(make("b", "name", name));
    }
    const time = make("time", "", line.at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
    time.dateTime = line.at.toISOString();
    head.append(" ", time);
    row.append(head, make("p", "text", line.text));
    if (line.state === "failed") row.append(this.#failed(talk, line));
    return row;
  }

  #failed(talk: Talk, line: Line): HTMLElement {
    const why = make("p", "why", make("span", "", `Not sent. ${line.why}`));
    if (line.again) {
      const again = make("button", "plain", "Send again");
      again.type = "button";
      again.addEventListener("click", () => void talk.retry(line.key));
      why.append(again);
    }
    const drop = make("button", "plain", line.again ? "Discard" : "Change");
    drop.type = "button";
    drop.addEventListener("click", () => {
      const text = talk.drop(line.key);
      if (!line.again) this.#actions.dropped(text);
    });
    why.append(drop);
    return why;
  }
}

function sameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}

function dayOf(at: Date): string {
  const today = new Date();
  if (sameDay(at, today)) return "Today";
  return at.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}
