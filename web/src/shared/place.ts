// Where somebody plays, kept over a reload of the page, for this tab alone.

import { Prefs } from "./prefs.ts";

/** A seat that may still be held, and whose it is. Way is how its page's players come to one. */
export interface Place<Way extends { kind: string }> {
  name: string;
  token: string; // the player's
  room: string;
  code: string;
  way: Way;
  /** The ticket by which the seat was found, while it was not taken yet: another page has found it. */
  ticket?: string;
}

export class PlaceKeeper<Way extends { kind: string }> {
  readonly #name: string;
  readonly #prefs: Prefs;

  /** page is its name, so that two pages of one tab do not mix up their places. */
  constructor(page: string, prefs: Prefs = new Prefs(() => sessionStorage)) {
    this.#name = `${page}.place`;
    this.#prefs = prefs;
  }

  /** Notes a place, or forgets it. */
  set(place: Place<Way> | undefined): void {
    this.#prefs.set(this.#name, place && JSON.stringify(place));
  }

  /** The place that was noted last; undefined where there is none, or what is kept is none. */
  get(): Place<Way> | undefined {
    try {
      const p = JSON.parse(this.#prefs.get(this.#name) ?? "null") as Partial<Place<Way>> | null;
      const texts = [p?.name, p?.token, p?.room, p?.code];
      if (!texts.every((t) => typeof t === "string") || !p?.room || typeof p.way?.kind !== "string") return undefined;
      return p as Place<Way>;
    } catch {
      return undefined;
    }
  }
}
