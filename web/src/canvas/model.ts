// All that a page of the canvas needs of its match: the text, the board, who is there, and the own cursor.

import { BoardModel } from "./model_board.ts";
import { type CanvasRefusal, command, type Link, Queue } from "./model_queue.ts";
import { TextModel } from "./text.ts";
import type { Place } from "./text_doc.ts";
import type { Cursor, Input } from "./types.ts";

/** One who is here. */
export interface Person {
  readonly seat: number;
  readonly author: number;
  readonly name: string;
  readonly away: boolean; // the connection is lost
  readonly mine: boolean;
  readonly cursor: Cursor;
}

/** The state of a canvas as one player sees it, with what he does himself shown at once. */
export class CanvasModel {
  readonly text: TextModel;
  readonly board: BoardModel;
  /** Called for what the server refused, with its reason, but for what is done again in another way. */
  onRefused: (input: Input, reason: string) => void = () => {};

  readonly #link: Link;
  readonly #queue: Queue;
  #runs = true; // they have changed since the last frame
  #cursor: Input | undefined; // where the own one is to be

  /** Call it as soon as the match is connected. now is a clock in milliseconds. */
  constructor(link: Link, now: () => number = () => performance.now()) {
    this.#link = link;
    this.#queue = new Queue(link, now);
    this.text = new TextModel(this.#queue);
    this.board = new BoardModel(link, this.#queue);
    this.text.onLost = (text, reason) => this.onRefused(command({ Op: "Insert", Text: text }), reason);
    const changed = () => void (this.#runs = true);
    link.onAdd("Runs", changed);
    link.onChange("Runs", changed);
    link.onRemove("Runs", changed);
  }

  /** The number under which this player writes; 0 before the first frame. */
  get author(): number {
    for (const [, c] of this.#link.tables.Cursors ?? []) if (c.Owner === this.#link.info.seat) return c.Author;
    return 0;
  }

  /** How many own commands the server has not taken up. */
  get waiting(): number {
    return this.#queue.list.length;
  }

  /** Takes up a frame: call it in onFrame. Returns whether the text may be another one. */
  frame(): boolean {
    const settled = this.#queue.settle();
    const { author } = this;
    const again = settled || this.#runs || author === 0;
    if (again) this.text.frame(author, this.#next(author), this.#runs ? this.#link.tables.Runs : undefined);
    this.#runs = false;
    this.board.frame(author, settled);
    if (this.#cursor && this.#queue.list.length === 0) {
      this.#queue.push({ input: this.#cursor });
      this.#cursor = undefined;
    }
    this.#queue.flush();
    return again;
  }

  /** Takes up a refusal: call it in onRefused. */
  refused(refusal: CanvasRefusal): void {
    this.text.refused(refusal);
    if (refusal.input && !["Insert", "Delete", "Caret", "Extend"].includes(refusal.input.Op)) this.onRefused(refusal.input, refusal.reason);
  }

  /** Puts the own cursor on the board. */
  point(x: number, y: number): void {
    this.#cursor = command({ Op: "Point", X: Math.round(x), Y: Math.round(y) });
  }

  /** Puts the own cursor into the text: behind a place, with what is selected up to another one. */
  caret(at: Place, mark: Place): void {
    this.#cursor = command({ Op: "Caret", "At.Author": at.author, "At.N": at.n, "Mark.Author": mark.author, "Mark.N": mark.n });
  }

  /** Takes the own cursor away. */
  hide(): void {
    this.#cursor = command({ Op: "Hide" });
  }

  /** Those who are here. */
  people(): Person[] {
    const names = new Map<number, string>();
    for (const [, a] of this.#link.tables.Authors ?? []) names.set(a.Number, a.Name);
    const list: Person[] = [];
    for (const [, cursor] of this.#link.tables.Cursors ?? []) {
      const { Owner: seat, Author: author, Away: away } = cursor;
      list.push({ seat, author, name: names.get(author) ?? "", away, mine: seat === this.#link.info.seat, cursor });
    }
    return list;
  }

  #next(author: number): number {
    for (const [, a] of this.#link.tables.Authors ?? []) if (a.Number === author) return a.Next;
    return 0;
  }
}
