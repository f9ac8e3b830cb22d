// The list of all rooms, by pages.

import type { AdminRoom } from "@muster/client";
import { byId, make, setText } from "../shared/dom.ts";
import type { Admin } from "./api.ts";
import { ago, count, shortly } from "./format.ts";
import { Rows } from "./rows.ts";
import { explain } from "./words.ts";

const EVERY_MS = 5000; // between two looks

/** The address of a room on the page. */
export const hashOf = (id: string): string => `#room/${encodeURIComponent(id)}`;

/** The room of an address, if it is one's. */
export function roomOf(hash: string): string | undefined {
  if (!hash.startsWith("#room/")) return undefined;
  try {
    return decodeURIComponent(hash.slice("#room/".length)) || undefined;
  } catch {
    return undefined;
  }
}

/** How anybody gets into a room. */
export function doors(r: AdminRoom): string {
  if (r.ended) return r.ended;
  if (!r.open) return "closed";
  return r.public ? "public" : r.code ? `code ${r.code}` : "private";
}

export class RoomList {
  readonly #admin: () => Admin;
  readonly #game = byId("rooms-game", HTMLSelectElement);
  readonly #node = byId("rooms-node", HTMLSelectElement);
  readonly #first = byId("rooms-first", HTMLButtonElement);
  readonly #next = byId("rooms-next", HTMLButtonElement);
  readonly #status = byId("rooms-status", HTMLElement);
  readonly #rows = new Rows<AdminRoom>(byId("rooms", HTMLTableElement), "", [
    { head: true, fill: (cell, id) => {
      const link = make("a", "", shortly(id));
      link.href = hashOf(id);
      link.title = id;
      const title = make("span", "why");
      cell.append(link, title);
      return (r) => {
        setText(title, r.title ?? "");
      };
    } },
    { text: (r) => r.game },
    { text: (r) => shortly(r.node) },
    { number: true, text: (r) => count(r.players) },
    { number: true, text: (r) => count(r.seats) },
    { text: doors },
    { text: (r) => (r.owner ? r.owner : r.queue ? `queue ${r.queue}` : "–") },
    { number: true, text: (r) => ago((Date.now() - Date.parse(r.created_at)) / 1000) },
  ]);
  #cursor = "";
  #after = ""; // the next page's
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round = 0; // of looks: an older one's answer does not count

  constructor(admin: () => Admin) {
    this.#admin = admin;
    const anew = () => this.#go("");
    this.#game.addEventListener("change", anew);
    this.#node.addEventListener("change", anew);
    byId("rooms-form", HTMLFormElement).addEventListener("submit", (e) => {
      e.preventDefault();
      void this.#look(true);
    });
    this.#first.addEventListener("click", anew);
    this.#next.addEventListener("click", () => this.#go(this.#after));
    const open = byId("open-room", HTMLInputElement);
    byId("open-form", HTMLFormElement).addEventListener("submit", (e) => {
      e.preventDefault();
      if (open.value.trim()) location.hash = hashOf(open.value.trim());
    });
  }

  /** Looks now and every few seconds, until it is stopped. */
  start(): void {
    this.stop();
    void this.#look(false);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#round++;
  }

  /** What may be chosen: the games and servers that the board has. What is chosen stays. */
  offer(games: readonly string[], nodes: readonly string[]): void {
    fit(this.#game, games, (g) => g);
    fit(this.#node, nodes, shortly);
  }

  #go(cursor: string): void {
    this.#cursor = cursor;
    void this.#look(true);
  }

  async #look(asked: boolean): Promise<void> {
    clearTimeout(this.#timer);
    const round = ++this.#round;
    if (asked) this.#say("Looking …", false);
    try {
      const { rooms, next } = await this.#admin().rooms(this.#game.value, this.#node.value, this.#cursor);
      if (round !== this.#round) return;
      this.#rows.show(rooms.map((r) => [r.id, r] as const), this.#nothing());
      this.#after = next ?? "";
      this.#say("", false);
    } catch (error) {
      if (round !== this.#round) return;
      this.#say(explain(error), true);
    }
    this.#first.disabled = this.#cursor === "";
    this.#next.disabled = this.#after === "";
    this.#timer = setTimeout(() => void this.#look(false), EVERY_MS);
  }

  #nothing(): string {
    if (this.#cursor) return "There is nothing on this page any more.";
    if (this.#game.value || this.#node.value) return "No room is like that now. Choose “all” to see the others.";
    return "No room runs now. One begins when somebody plays; open the front page in another tab and try.";
  }

  #say(text: string, wrong: boolean): void {
    setText(this.#status, text);
    this.#status.classList.toggle("wrong", wrong);
  }
}

/** Makes the options of a list those that there are, and the one that is chosen. */
function fit(select: HTMLSelectElement, values: readonly string[], show: (value: string) => string): void {
  const wanted = ["", ...new Set(select.value ? [...values, select.value] : values)];
  if (wanted.length === select.options.length && wanted.every((v, i) => select.options[i]?.value === v)) return;
  const chosen = select.value;
  select.replaceChildren(...wanted.map((v) => new Option(v === "" ? "all" : show(v), v)));
  select.value = chosen;
}
