// What this browser remembers of a player: whom he knows, his conversations, his notifications. The lobby keeps messages,
// groups and parties; it keeps no list of friends, which is each game's own affair.

import type { Channel } from "@muster/client";
import type { Prefs } from "../shared/prefs.ts";

/** A conversation. */
export interface Entry {
  title: string;
  at: number; // of the newest message, in ms since 1970
  preview: string;
  unread: number;
  id?: string; // of the newest message
}

/** A notification, or an invitation. */
export interface Notice {
  id: string; // the event's
  at: number;
  title: string;
  body: string;
  read: boolean;
  join?: { kind: "group" | "party"; id: string; until?: number };
}

export const MOST_NOTICES = 100;
const MOST_ENTRIES = 200;
const MOST_CONTACTS = 180; // as many as can be watched, with those of a party

interface Kept {
  contacts: Record<string, string>; // name by id
  entries: Record<string, Entry>;
  notices: Notice[];
  last: string;
}

/**
 * The book of one player. It is what the browser keeps: all tabs of the player read and write the same one, so that each
 * changes what the others have made of it, and what was removed in one is nowhere. Every change is written at once.
 */
export class Book {
  readonly #prefs: Prefs;
  readonly #name: string;
  #text: string | undefined; // as it was read, or written
  #read: Kept;

  constructor(prefs: Prefs, player: string) {
    this.#prefs = prefs;
    this.#name = `chat.book.${player}`;
    this.#text = prefs.get(this.#name);
    this.#read = read(this.#text);
  }

  /** What the book says now. */
  get #kept(): Kept {
    const text = this.#prefs.get(this.#name);
    if (text !== undefined && text !== this.#text) [this.#text, this.#read] = [text, read(text)]; // another tab's
    return this.#read;
  }

  /** The place after the last event that was dealt with. */
  get last(): string {
    return this.#kept.last;
  }

  set last(place: string) {
    this.#change((kept) => void (kept.last = place));
  }

  /** Whom the player knows, by id, in the order of their names. */
  get contacts(): { id: string; name: string }[] {
    return Object.entries(this.#kept.contacts).map(([id, name]) => ({ id, name })).sort((a, b) => a.name.localeCompare(b.name));
  }

  knows(id: string): boolean {
    return Object.hasOwn(this.#kept.contacts, id);
  }

  nameOf(id: string): string {
    return (this.knows(id) && this.#kept.contacts[id]) || id;
  }

  /** Notes somebody, or what he is called now. false where there is no place. */
  meet(id: string, name: string): boolean {
    const known = this.knows(id);
    if (!known && Object.keys(this.#kept.contacts).length >= MOST_CONTACTS) return false;
    if (known && (!name || name === id || this.#kept.contacts[id] === name)) return true;
    this.#change(({ contacts }) => void (contacts[id] = name || id));
    return true;
  }

  forget(id: string): void {
    this.#change(({ contacts }) => void delete contacts[id]);
  }

  /** The conversations, the newest first. */
  get entries(): { channel: Channel; entry: Entry }[] {
    return Object.entries(this.#kept.entries).map(([channel, entry]) => ({ channel: channel as Channel, entry })).sort((a, b) => b.entry.at - a.entry.at);
  }

  entry(channel: Channel): Entry | undefined {
    return Object.hasOwn(this.#kept.entries, channel) ? this.#kept.entries[channel] : undefined;
  }

  /** Changes a conversation, or begins one. */
  note(channel: Channel, change: Partial<Entry>): Entry {
    const entry = { title: "", at: Date.now(), preview: "", unread: 0, ...this.entry(channel), ...change };
    this.#change(({ entries }) => {
      entries[channel] = entry;
      for (const [old] of Object.entries(entries).sort(([, a], [, b]) => b.at - a.at).slice(MOST_ENTRIES)) delete entries[old];
    });
    return entry;
  }

  drop(channel: Channel): void {
    this.#change(({ entries }) => void delete entries[channel]);
  }

  /** Notifications, the newest first. */
  get notices(): readonly Notice[] {
    return this.#kept.notices;
  }

  /** Puts one up; again, it changes nothing. */
  put(notice: Notice): void {
    if (this.notices.some((n) => n.id === notice.id)) return;
    this.#change((kept) => void (kept.notices = [...kept.notices, notice].sort((a, b) => b.at - a.at).slice(0, MOST_NOTICES)));
  }

  take(id: string): void {
    this.#change((kept) => void (kept.notices = kept.notices.filter((n) => n.id !== id)));
  }

  readAll(): void {
    this.#change(({ notices }) => notices.forEach((n) => (n.read = true)));
  }

  #change(how: (kept: Kept) => void): void {
    how(this.#kept);
    this.#prefs.set(this.#name, JSON.stringify(this.#read));
    this.#text = this.#prefs.get(this.#name); // where there is no place for it, it holds for this visit
  }
}

/** Reads what was kept; what is not as it should be counts as nothing. */
function read(text: string | undefined): Kept {
  const kept: Kept = { contacts: {}, entries: {}, notices: [], last: "" };
  try {
    const from = JSON.parse(text ?? "{}") as Partial<Kept>;
    for (const [id, name] of Object.entries(from.contacts ?? {})) if (typeof name === "string") kept.contacts[id] = name;
    for (const [channel, e] of Object.entries(from.entries ?? {})) {
      if (typeof e?.title === "string" && typeof e.at === "number" && typeof e.preview === "string" && typeof e.unread === "number") kept.entries[channel] = e;
    }
    for (const n of Array.isArray(from.notices) ? from.notices : []) {
      if (typeof n?.id === "string" && typeof n.at === "number" && typeof n.title === "string" && typeof n.body === "string") kept.notices.push(n);
    }
    if (typeof from.last === "string") kept.last = from.last;
  } catch {
    // it is begun anew
  }
  return kept;
}
