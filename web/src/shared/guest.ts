// The guest that somebody was last on this site, so that another page of it shows what is his. Development servers alone
// have guests.

import { Prefs } from "./prefs.ts";

export interface Guest {
  name: string;
  token: string;
}

const NAME = "guest";

/** Remembers a guest. */
export function keepGuest(guest: Guest, prefs = new Prefs()): void {
  prefs.set(NAME, JSON.stringify(guest));
}

/** The guest that was remembered last; undefined where there is none, or what is kept is none. */
export function keptGuest(prefs = new Prefs()): Guest | undefined {
  try {
    const g = JSON.parse(prefs.get(NAME) ?? "null") as Partial<Guest> | null;
    if (typeof g?.name !== "string" || typeof g.token !== "string" || !g.name || !g.token) return undefined;
    return { name: g.name, token: g.token };
  } catch {
    return undefined;
  }
}
