// What is written in one channel, as one player sees it: messages in their order, those that are on their way, and those
// that did not go. No element of the page is touched here.

import { APIError, type Channel, type ChatMessage, type History } from "@muster/client";
import { sentence } from "./sentence.ts";

/** A message as it is shown. */
export interface Line {
  /** Unlike any other of the channel: the key under which it was sent, or its id. */
  key: string;
  from: string;
  name: string;
  text: string;
  /** When it was written; of one that is on its way, when it was sent. */
  at: Date;
  state: "there" | "sending" | "failed";
  /** Failed: why, for people. */
  why: string;
  /** Failed: whether the same may go another time. */
  again: boolean;
}

/** What a talk asks the lobby: the chat of a Live. */
export interface Speaker {
  send(channel: Channel, text: string, key?: string): Promise<Pick<ChatMessage, "id" | "from" | "text" | "at"> & { name?: string }>;
  history(channel: Channel, page?: { before?: string | undefined; limit?: number | undefined }): Promise<History>;
}

/** A message that the lobby has told. */
export type Told = { id: string; from: string; name?: string; text: string; at: string };

const PAGE = 50;
const MOST = 1000; // lines that are kept; the oldest go

/** One channel. changed is called whenever something of it is to be shown anew. */
export class Talk {
  readonly channel: Channel;
  /** How many messages of others have come since read was called. */
  unread = 0;
  /** Whether the newest page was read. */
  loaded = false;
  /** Before which message older ones are to be had; undefined where there are none. */
  older: string | undefined;

  readonly #me: string;
  readonly #speaker: () => Speaker;
  readonly #changed: () => void;
  readonly #newKey: () => string;
  #there: (Line & { id: string })[] = []; // in the order of their ids
  #ours: Line[] = []; // on their way, or failed
  #seen = ""; // the id of the newest message that was read
  #hidden: ReadonlySet<string> = new Set();

  constructor(channel: Channel, me: string, speaker: () => Speaker, changed: () => void, newKey: () => string = () => crypto.randomUUID()) {
    this.channel = channel;
    this.#me = me;
    this.#speaker = speaker;
    this.#changed = changed;
    this.#newKey = newKey;
  }

  /** What is shown, the oldest first. */
  get lines(): readonly Line[] {
    return [...this.#there.filter((l) => !this.#hidden.has(l.from)), ...this.#ours];
  }

  /** The newest message, for a list of channels. */
  get newest(): Line | undefined {
    return this.lines.at(-1);
  }

  /** Leaves out what these players write. */
  hide(players: ReadonlySet<string>): void {
    this.#hidden = players;
    this.#changed();
  }

  /** Reads the newest page: at first, and whenever messages may have been missed. */
  async load(): Promise<void> {
    const page = await this.#speaker().history(this.channel, { limit: PAGE });
    const [newest, oldest] = [page.messages[0], page.messages.at(-1)];
    const since = this.#there.filter((l) => before(newest?.id ?? "", l.id)); // told while the page was on its way
    const known = this.#there.at(-1 - since.length);
    if (!this.loaded || (oldest && page.next && before(known?.id ?? "", oldest.id))) {
      this.#there = since; // between what is known and this page something may be missing
      this.older = page.next;
    }
    this.loaded = true;
    for (const m of page.messages) this.#put(m);
    this.#changed();
  }

  /** Reads the page before. */
  async more(): Promise<void> {
    if (!this.older) return;
    const page = await this.#speaker().history(this.channel, { before: this.older, limit: PAGE });
    this.older = page.next;
    for (const m of page.messages) this.#put(m);
    this.#changed();
  }

  /** Takes a message that the lobby tells. */
  hear(m: Told): void {
    const isNew = this.#put(m);
    if (isNew && m.from !== this.#me && !this.#hidden.has(m.from) && before(this.#seen, m.id)) this.unread++;
    this.#changed();
  }

  /** Everything was read. */
  read(): void {
    this.unread = 0;
    this.#seen = this.#there.at(-1)?.id ?? this.#seen;
  }

  /** Sends a text. It is shown at once, and says by itself how it went. */
  async say(text: string): Promise<void> {
    const line: Line = { key: this.#newKey(), from: this.#me, name: "", text, at: new Date(), state: "sending", why: "", again: false };
    this.#ours.push(line);
    await this.#send(line);
  }

  /** Sends one again that failed: as the same message, so that it is written once. */
  async retry(key: string): Promise<void> {
    const line = this.#ours.find((l) => l.key === key && l.state === "failed");
    if (line) await this.#send(line);
  }

  /** Gives one up that failed, and returns its text. */
  drop(key: string): string {
    const line = this.#ours.find((l) => l.key === key && l.state === "failed");
    this.#ours = this.#ours.filter((l) => l !== line);
    this.#changed();
    return line?.text ?? "";
  }

  async #send(line: Line): Promise<void> {
    line.state = "sending";
    this.#changed();
    try {
      const m = await this.#speaker().send(this.channel, line.text, line.key);
      this.#ours = this.#ours.filter((l) => l !== line);
      this.#put({ ...m, at: String(m.at) });
    } catch (error) {
      if (!this.#ours.includes(line)) return; // the lobby has told of it
      line.state = "failed";
      line.why = refusal(error);
      line.again = !(error instanceof APIError) || error.temporary || error.status === 403;
    }
    this.#changed();
  }

  /** Puts a message in its place; false where it is there. One of ours that was told first is no longer on its way. */
  #put(m: Told): boolean {
    let i = this.#there.length;
    while (i > 0 && before(m.id, this.#there[i - 1]!.id)) i--;
    if (this.#there[i - 1]?.id === m.id) return false;
    if (m.from === this.#me) {
      const own = this.#ours.findIndex((l) => l.state === "sending" && l.text === m.text);
      if (own >= 0) this.#ours.splice(own, 1);
    }
    this.#there.splice(i, 0, {
      key: m.id, id: m.id, from: m.from, name: m.name || m.from, text: m.text, at: new Date(m.at), state: "there", why: "", again: false,
    });
    if (this.#there.length > MOST) {
      this.#there.splice(0, this.#there.length - MOST);
      this.older = this.#there[0]!.id;
    }
    return true;
  }
}

/** Whether one message's id stands before another's; "" is before all. */
export function before(a: string, b: string): boolean {
  const [am = 0, an = 0] = a.split("-").map(Number);
  const [bm = 0, bn = 0] = b.split("-").map(Number);
  return am < bm || (am === bm && an < bn);
}

/** Why the lobby refused something, in its words, for people. */
export function refusal(error: unknown): string {
  if (!(error instanceof APIError)) return "The server does not answer.";
  const first = error.errors[0];
  const field = error.status === 422 && first ? first.message : "";
  const text = field || error.detail || error.title || "The server refused it.";
  const wait = error.retryAfterMs && error.status === 429 ? ` Try again in ${Math.ceil(error.retryAfterMs / 1000)} s.` : "";
  return sentence(withLocalTimes(text)) + wait;
}

/** Makes times of the lobby's words those of here. */
function withLocalTimes(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, (t) => new Date(t).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
}
