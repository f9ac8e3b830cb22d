// Where somebody plays, kept over a reload of the page, for this tab alone.

import { Prefs } from "../shared/prefs.ts";
import type { Way } from "./ways.ts";

/** A seat that may still be held, and whose it is. */
export interface Place {
  name: string;
  token: string; // the player's
  room: string;
  code: string;
  way: Way;
}

const NAME = "arena.place";

export class PlaceKeeper {
  readonly #prefs: Prefs;

  constructor(prefs: Prefs = new Prefs(() => sessionStorage)) {
    this.#prefs = prefs;
  }

  /** Notes a place, or forgets it. */
  set(place: Place | undefined): void {
    this.#prefs.set(NAME, place && JSON.stringify(place));
  }

  /** The place that was noted last; undefined where there is none, or what is kept is none. */
  get(): Place | undefined {
    try {
      const p = JSON.parse(this.#prefs.get(NAME) ?? "null") as Partial<Place> | null;
      const texts = [p?.name, p?.token, p?.room, p?.code];
      if (!texts.every((t) => typeof t === "string") || !p?.room || typeof p.way?.kind !== "string") return undefined;
      return p as Place;
    } catch {
      return undefined;
    }
  }
}
