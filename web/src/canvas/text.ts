// The text as this player sees it: the server's runs, and on top of them his own commands that the server has not taken
// up. He names characters for good when he types them, so that nothing he sends depends on what others do meanwhile.

import type { TableView } from "@muster/client";

import { bytesOf, command, MAX_TEXT, type CanvasRefusal, type Pending, type Queue } from "./model_queue.ts";
import { BEGIN, characters, Doc, type Piece, type Place, type Range, rangesOf, type Said, whichOf } from "./text_doc.ts";
import type { Run } from "./types.ts";

/** One step back: what was typed, and what was deleted, as one. */
interface Edit {
  typed: Said[];
  removed: Said[];
  at: number; // when, in milliseconds
}

const MOST_EDITS = 500;
const TOGETHER_MS = 1000; // typing without a longer pause is undone at once
const NEAR = 8; // places that are kept to find the place of a text again
const MOST_TRIES = 3;

const refusedPlace = "there is no such place in the text";
const refusedNumber = "these characters' numbers are taken";
/** Reasons for which a command is sent again, as the server has them. */
export const RETRIED = [refusedPlace, refusedNumber, "there are no such characters", "the text is in too many pieces: try again later"];

/** The text, and how it is edited. Positions are UTF-16 units of text, as those of a textarea. */
export class TextModel {
  /** Called when a text that was typed is refused for good, with the server's reason. */
  onLost: (text: string, reason: string) => void = () => {};

  readonly #queue: Queue;
  #author = 0;
  #next = 0; // the number of the next own character
  #base: Piece[] = [];
  #shown = new Doc();
  #text: string | undefined = "";
  #undo: Edit[] = [];
  #redo: Edit[] = [];

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  get text(): string {
    return (this.#text ??= this.#shown.text);
  }

  /** Whether there is something to be undone, or done again. */
  get canUndo(): boolean {
    return this.#undo.length > 0;
  }

  get canRedo(): boolean {
    return this.#redo.length > 0;
  }

  /** The place of a position, which stays where it is whatever is written before it. */
  placeAt(position: number): Place {
    return this.#shown.placeAt(position);
  }

  /** Whether a place is known: one of a character that was deleted is forgotten in time. */
  has(place: Place): boolean {
    return this.#shown.has(place);
  }

  /** The position of a place; 0 where it is forgotten. */
  positionOf(place: Place): number {
    return this.#shown.positionOf(place) ?? 0;
  }

  /**
   * Puts a text in the place of what is between two positions. now is in milliseconds. Control characters but tab and
   * newline are left out. False: nothing was done, since the own name is not known yet or too much waits for the server.
   */
  edit(from: number, to: number, insert: string, now: number): boolean {
    insert = clean(insert);
    const removed = this.#shown.between(from, to);
    if (this.#author === 0 || this.#queue.full || (insert === "" && removed.length === 0)) return false;
    const at = this.#shown.placeAt(from);
    this.#change("Delete", removed);
    const typed = insert === "" ? [] : [{ author: this.#author, n: this.#insert(at, insert), text: insert }];
    this.#remember({ typed, removed, at: now }, at);
    return true;
  }

  /** Takes the newest own edit back, and returns where the caret belongs; undefined: there is none. */
  undo(): number | undefined {
    return this.#turn(this.#undo, this.#redo, (e) => [e.typed, e.removed]);
  }

  /** Does again what was undone. */
  redo(): number | undefined {
    return this.#turn(this.#redo, this.#undo, (e) => [e.removed, e.typed]);
  }

  /** Takes up a frame: who this player is, and the runs, where they have changed. */
  frame(author: number, next: number, runs: TableView<Run> | undefined): void {
    if (author !== this.#author) {
      this.#author = author;
      this.#next = next + GAP;
    }
    if (runs) this.#base = piecesOf(runs);
    this.#again();
  }

  /**
   * Takes up that a command was refused. A text whose place is gone is put near it, and what is there of characters that are
   * to be deleted is deleted: after a failover others' commands may come later than they did.
   */
  refused({ input, reason }: CanvasRefusal): void {
    const was = input && this.#queue.of(input);
    const tries = (was?.tries ?? 0) + 1;
    const again = RETRIED.includes(reason) && tries <= MOST_TRIES && this.#author !== 0;
    if (input?.Op === "Delete" && was?.ranges && again) return void this.#changeRanges("Delete", was.ranges, [], tries);
    if (input?.Op !== "Insert") return;
    if (!again) return this.onLost(input.Text, reason);
    const at = { author: input["At.Author"], n: input["At.N"] };
    const place = [at, ...(was?.near ?? [])].find((p) => this.#shown.has(p)) ?? BEGIN;
    const n = reason === refusedNumber ? this.#take(characters(input.Text)) : input.N;
    this.#push(place, n, input.Text, was?.near ?? [], tries);
  }

  /** Applies a command of one's own to what is shown. */
  #apply(p: Pending): void {
    const { input: { Op, N, Text, "At.Author": author, "At.N": n } } = p;
    if (Op === "Insert") this.#shown.insert(this.#author, N, { author, n }, Text);
    else if (Op === "Delete") this.#shown.delete(this.#author, p.ranges!);
    else if (Op === "Restore") this.#shown.restore(this.#author, p.ranges!, p.said);
    this.#text = undefined;
  }

  #again(): void {
    this.#shown = new Doc(this.#base);
    this.#text = undefined;
    for (const p of this.#queue.list) this.#apply(p);
  }

  #take(n: number): number {
    const first = this.#next;
    this.#next += n;
    return first;
  }

  /** Puts a text behind a place, and returns the number of its first character. */
  #insert(at: Place, text: string): number {
    const first = this.#next;
    for (const chunk of chunks(text)) {
      const near = [at, ...this.#near(at)].slice(0, NEAR);
      const n = this.#take(characters(chunk));
      this.#push(at, n, chunk, near, 0);
      at = { author: this.#author, n: this.#next - 1 };
    }
    return first;
  }

  #push(at: Place, n: number, text: string, near: readonly Place[], tries: number): void {
    const input = command({ Op: "Insert", N: n, "At.Author": at.author, "At.N": at.n, Text: text });
    const p = { input, author: this.#author, near, tries };
    this.#apply({ ...p, sent: false });
    this.#queue.push(p);
  }

  /** The ends of the pieces before a place, the nearest first. */
  #near(at: Place): Place[] {
    const { pieces } = this.#shown;
    const i = pieces.findIndex((p) => p.author === at.author && at.n >= p.n && at.n < p.n + p.len);
    return pieces.slice(Math.max(0, i - NEAR), Math.max(0, i)).reverse().map((p) => ({ author: p.author, n: p.n + p.len - 1 }));
  }

  /** Deletes what is shown of some characters, or brings back what is deleted of them; false: that was nothing. */
  #change(Op: "Delete" | "Restore", said: readonly Said[]): boolean {
    return this.#changeRanges(Op, rangesOf(said), said, 0);
  }

  #changeRanges(Op: "Delete" | "Restore", wanted: readonly Range[], said: readonly Said[], tries: number): boolean {
    const ranges = this.#shown.within(wanted, Op === "Delete");
    for (let from = 0; from < ranges.length; from += CHUNK) {
      const some: Range[] = ranges.slice(from, from + CHUNK);
      const p = { input: command({ Op, Which: whichOf(some)[0]! }), ranges: some, tries, ...(Op === "Restore" && { said }) };
      this.#apply({ ...p, sent: false });
      this.#queue.push(p);
    }
    return ranges.length > 0;
  }

  #remember(e: Edit, at: Place): void {
    this.#redo = [];
    const last = this.#undo.at(-1);
    if (last && e.at - last.at < TOGETHER_MS) {
      const end = last.typed.at(-1);
      const [typed] = e.typed;
      if (typed && end && e.removed.length === 0 && at.author === end.author && at.n === end.n + characters(end.text) - 1 &&
        typed.n === at.n + 1 && !end.text.endsWith("\n")) {
        last.typed[last.typed.length - 1] = { ...end, text: end.text + typed.text };
        last.at = e.at;
        return;
      }
      if (!typed && last.typed.length === 0) {
        last.removed = [...e.removed, ...last.removed];
        last.at = e.at;
        return;
      }
    }
    this.#undo.push(e);
    if (this.#undo.length > MOST_EDITS) this.#undo.shift();
  }

  #turn(from: Edit[], to: Edit[], what: (e: Edit) => [Said[], Said[]]): number | undefined {
    if (this.#queue.full) return undefined;
    for (let e = from.pop(); e; e = from.pop()) {
      const [away, back] = what(e);
      const changed = [this.#change("Delete", away), this.#change("Restore", back)];
      e.at = -Infinity; // what is typed next is an edit of its own
      to.push(e);
      if (!changed.includes(true)) continue; // others did it
      return Math.max(0, ...(changed[1] ? back : away).map((s) => this.positionOf({ author: s.author, n: s.n + characters(s.text) - 1 })));
    }
    return undefined;
  }
}

const CHUNK = 60; // ranges of at most 15 bytes that one command names
// What was typed before this page was loaded may still be on its way, under the numbers that come next.
const GAP = 1024;

/** Runs in the order of the text. */
export function piecesOf(runs: TableView<Run>): Piece[] {
  const behind = new Map<number, [number, Run]>();
  for (const [id, run] of runs) behind.set(run.After, [id, run]);
  const pieces: Piece[] = [];
  let at = 0;
  for (let next = behind.get(at); next && pieces.length < runs.size; next = behind.get(at)) {
    const [id, { Author: author, N: n, Len: len, Text: text }] = next;
    pieces.push({ author, n, len, text });
    at = id;
  }
  return pieces;
}

const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function clean(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(CONTROL, "").replace(LONE, "\ufffd");
}

/** A text in parts that a command can have. */
function chunks(text: string): string[] {
  const list: string[] = [];
  for (let from = 0; from < text.length;) {
    let to = Math.min(text.length, from + MAX_TEXT);
    if (bytesOf(text.slice(from, to)) > MAX_TEXT) to = Math.min(text.length, from + MAX_TEXT / 3);
    if (to < text.length && (text.charCodeAt(to - 1) & 0xfc00) === 0xd800) to--;
    list.push(text.slice(from, to));
    from = to;
  }
  return list;
}
