// The commands of this player that the server has not taken up: what is shown is the server's rows and these on top.

import { BacklogError, type Match, type Refusal } from "@muster/client";

import { type Place, type Range, type Said, characters, merged, whichOf } from "./text_doc.ts";
import type { Events, Input, State } from "./types.ts";

/** What the models need of a match. */
export type Link = Pick<Match<State, Input, Events>, "info" | "tables" | "send" | "unprocessed" | "onAdd" | "onChange" | "onRemove">;
export type CanvasRefusal = Pick<Refusal<Input>, "input" | "reason">;

/** A command that is on its way. */
export interface Pending {
  input: Input;
  sent: boolean;
  author?: number; // of Insert: whose it is
  ranges?: readonly Range[]; // what Which says
  said?: readonly Said[]; // of Restore: what comes back
  near?: readonly Place[]; // of Insert: places before it, the nearest first
  tries?: number;
}

const NONE: Input = {
  Op: "Hide", N: 0, "At.Author": 0, "At.N": 0, "Mark.Author": 0, "Mark.N": 0, Text: "", Which: new Uint8Array(), Colour: 0, Width: 0, X: 0, Y: 0,
};

/** A command with these fields, all others zero. */
export function command(fields: Partial<Input> & Pick<Input, "Op">): Input {
  return { ...NONE, ...fields };
}

export const MAX_TEXT = 3000; // bytes of Input.Text
// Each command that is sent is a message with those before it that the server has not taken up, and a server listens to 20
// messages and 256 KiB a second. So few are on their way; others wait here, and become one where they can.
const MOST_OPEN = 16;
const MOST_BYTES = 9000;
const MOST_AT_ONCE = 8;
const PER_SECOND = 15;
const MOST_WAITING = 1000;

/** Commands in their order. */
export class Queue {
  readonly #link: Link;
  list: Pending[] = [];
  readonly #sent = new WeakMap<Input, Pending>();
  readonly #now: () => number;
  #may = MOST_AT_ONCE; // how many may be sent now
  #at = 0; // when that was so, in milliseconds

  constructor(link: Link, now: () => number) {
    [this.#link, this.#now] = [link, now];
  }

  /** That no more commands are taken: the server is away for long. */
  get full(): boolean {
    return this.list.length >= MOST_WAITING;
  }

  /** What was sent as an input, also when the server has taken it up. */
  of(input: Input): Pending | undefined {
    return this.#sent.get(input);
  }

  push(p: Omit<Pending, "sent">): void {
    const last = this.list.at(-1);
    if (!last || last.sent || !joined(last, p)) this.list.push({ ...p, sent: false });
    this.flush();
  }

  /** Sends what waits, as far as the server keeps up. */
  flush(): void {
    const first = this.list.findIndex((p) => !p.sent);
    if (first < 0) return;
    const now = this.#now();
    this.#may = Math.min(MOST_AT_ONCE, this.#may + (Math.max(0, now - this.#at) * PER_SECOND) / 1000);
    this.#at = now;
    const unprocessed = this.#link.unprocessed;
    let open = unprocessed.length;
    let bytes = unprocessed.reduce((sum, { input }) => sum + sizeOf(input), 0);
    for (const p of this.list.slice(first)) {
      bytes += sizeOf(p.input);
      if (this.#may < 1 || open >= MOST_OPEN || (open > 0 && bytes > MOST_BYTES)) return;
      try {
        if (!this.#link.send(p.input)) return;
      } catch (e) {
        if (!(e instanceof BacklogError)) throw e;
        return;
      }
      p.sent = true;
      this.#sent.set(p.input, p);
      this.#may--;
      open++;
    }
  }

  /**
   * Takes up which commands the newest frame does not contain, and says whether these are others than before. Those that
   * a failover took back are among them again.
   */
  settle(): boolean {
    const open = this.#link.unprocessed.map((u) => this.#sent.get(u.input)).filter((p) => p !== undefined);
    const now = [...open, ...this.list.filter((p) => !p.sent)];
    const same = now.length === this.list.length && now.every((p, i) => p === this.list[i]);
    this.list = now;
    return !same;
  }
}

/** How many bytes a text has at most. */
export function bytesOf(text: string): number {
  return /^[\0-\x7f]*$/.test(text) ? text.length : 3 * text.length;
}

function sizeOf(input: Input): number {
  return 40 + bytesOf(input.Text) + input.Which.length;
}

/** Makes one command of two where that is the same. */
function joined(last: Pending, p: Omit<Pending, "sent">): boolean {
  const [a, b] = [last.input, p.input];
  if (a.Op === "Insert" && b.Op === "Insert") {
    const text = a.Text + b.Text;
    const on = b["At.Author"] === last.author && b["At.N"] === b.N - 1 && b.N === a.N + characters(a.Text);
    if (!on || bytesOf(text) > MAX_TEXT) return false;
    last.input = { ...a, Text: text };
    return true;
  }
  if (a.Op === "Delete" && b.Op === "Delete") {
    const ranges = merged([...last.ranges!, ...p.ranges!]);
    const which = whichOf(ranges);
    if (which.length !== 1) return false;
    last.input = { ...a, Which: which[0]! };
    last.ranges = ranges;
    return true;
  }
  return false;
}
