// What is being written and was not sent, by conversation. It outlives a reload of the page, for this tab alone.

import type { Channel } from "@muster/client";
import { Prefs } from "../shared/prefs.ts";

const MOST = 20; // conversations; of more, those that were left alone longest are forgotten
const LONGEST = 2000; // UTF-16 units, of each; the field takes less

export class Drafts {
  readonly #prefs: Prefs;
  readonly #name: string;
  readonly #texts: Map<Channel, string>; // what was written last comes last

  /** player is whose drafts they are: another who signs in does not see them. */
  constructor(player: string, prefs: Prefs = new Prefs(() => sessionStorage)) {
    this.#prefs = prefs;
    this.#name = `chat.drafts.${player}`;
    this.#texts = new Map(read(prefs.get(this.#name)));
  }

  get(channel: Channel): string {
    return this.#texts.get(channel) ?? "";
  }

  /** Keeps a draft, or forgets it where there is nothing in it. */
  set(channel: Channel, text: string): void {
    if (text === this.get(channel)) return;
    this.#texts.delete(channel);
    if (text.trim()) this.#texts.set(channel, text.slice(0, LONGEST));
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= MOST) break;
      this.#texts.delete(oldest);
    }
    this.#prefs.set(this.#name, this.#texts.size ? JSON.stringify([...this.#texts]) : undefined);
  }

  /** Forgets all: their player has signed out. */
  clear(): void {
    this.#texts.clear();
    this.#prefs.set(this.#name, undefined);
  }
}

/** Reads what was kept; what is no draft is left out. */
function read(text: string | undefined): [Channel, string][] {
  try {
    const kept: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(kept) ? kept.slice(-MOST).filter(isDraft) : [];
  } catch {
    return [];
  }
}

function isDraft(kept: unknown): kept is [Channel, string] {
  return Array.isArray(kept) && kept.length === 2 && kept.every((k) => typeof k === "string") && (kept[1] as string).length <= LONGEST;
}
