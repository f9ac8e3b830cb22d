// A match for the model that outlives its matches: when a seat was lost for good and another one is taken in the same
// room, the model goes on with that. What was sent to the match before and is not in the room is sent again; names of
// characters and lines are for good, so that the room itself says what it has.

import { decodePoints } from "./model_points.ts";
import type { Link } from "./model_queue.ts";
import type { Author, Cursor, Input, State, Stroke } from "./types.ts";

type Tell = "onAdd" | "onChange" | "onRemove";
type Tables = Link["tables"];

/** The row of who has a seat; undefined while the room's state is not here. */
export function cursorOf(tables: Tables, seat: number): Cursor | undefined {
  for (const [, cursor] of tables.Cursors ?? []) if (cursor.Owner === seat) return cursor;
  return undefined;
}

/** The author of a number. */
function authorOf(tables: Tables, number: number): Author | undefined {
  for (const [, author] of tables.Authors ?? []) if (author.Number === number) return author;
  return undefined;
}

export class Relink implements Link {
  #match: Link;
  #carried: { seq: number; input: Input }[] = []; // sent to matches before, and in none that the room has taken up
  #heard: { what: Tell; table: keyof State & string; call: (...args: never[]) => void }[] = [];
  #undo: (() => void)[] = [];

  constructor(match: Link) {
    this.#match = match;
  }

  get info(): Link["info"] {
    return this.#match.info;
  }

  get tables(): Tables {
    return this.#match.tables;
  }

  get unprocessed(): Link["unprocessed"] {
    return this.#carried.length > 0 ? this.#carried : this.#match.unprocessed;
  }

  send(input: Input): boolean {
    return this.#carried.length === 0 && this.#match.send(input);
  }

  onAdd: Link["onAdd"] = (table, call) => this.#on("onAdd", table, call as never);
  onChange: Link["onChange"] = (table: keyof State & string, ...args: unknown[]) => this.#on("onChange", table, args.at(-1) as never);
  onRemove: Link["onRemove"] = (table, call) => this.#on("onRemove", table, call as never);

  /** The match is over: what it did not take up is kept for the next one. */
  lost(): void {
    // Until there is another one nothing is sent: the new ones come after the old ones.
    if (this.#carried.length === 0) this.#carried = [...this.#match.unprocessed];
  }

  /** Whether a match has all of the room: it can be taken. */
  static whole(match: Link): boolean {
    return cursorOf(match.tables, match.info.seat) !== undefined;
  }

  /**
   * Goes on with another match, which must be whole. False where this player is another author there: then it cannot, and
   * what was not taken up is lost.
   */
  take(match: Link): boolean {
    const before = this.#match;
    const author = cursorOf(before.tables, before.info.seat)?.Author;
    if (!author || cursorOf(match.tables, match.info.seat)?.Author !== author) return false;
    this.lost();
    for (const undo of this.#undo.splice(0)) undo();
    // All rows go and come anew: their ids may be others.
    for (const { what, table, call } of this.#heard) {
      if (what === "onRemove") for (const [id, row] of before.tables[table] ?? []) call(...([id, row] as never[]));
    }
    this.#match = match;
    for (const h of this.#heard) this.#attach(h);
    const left = untaken(this.#carried.map((c) => c.input), match.tables, author);
    this.#carried = [];
    for (const input of left) match.send(input);
    return true;
  }

  #on(what: Tell, table: keyof State & string, call: (...args: never[]) => void): () => void {
    const heard = { what, table, call };
    this.#heard.push(heard);
    this.#attach(heard);
    return () => {}; // the model listens for good
  }

  #attach({ what, table, call }: { what: Tell; table: keyof State & string; call: (...args: never[]) => void }): void {
    const listen = this.#match[what] as (table: keyof State, call: (...args: never[]) => void) => () => void;
    this.#undo.push(listen.call(this.#match, table, call));
  }
}

/** Of an author's commands in their order, those that a room has not taken up: it takes them in order. */
export function untaken(inputs: readonly Input[], tables: Tables, author: number): Input[] {
  const next = authorOf(tables, author)?.Next ?? 1;
  const lines = new Map<number, Stroke[]>();
  for (const [, s] of tables.Strokes ?? []) if (s.Author === author) lines.set(s.N, [...(lines.get(s.N) ?? []), s]);
  const has = ({ Op, N, Text }: Input): boolean => {
    if (Op === "Insert") return N < next;
    if (Op === "Draw") return lines.has(N);
    return Op === "Extend" && endsOf(lines.get(N) ?? []).includes(lastOf(Text));
  };
  const from = inputs.findLastIndex(has) + 1;
  // Where the pointer was is no matter now; what is deleted twice is deleted.
  return inputs.slice(from).filter(({ Op }) => !isCursor(Op));
}

/** Whether a command says no more than where the own pointer is. */
export function isCursor(op: Input["Op"]): boolean {
  return op === "Point" || op === "Caret" || op === "Hide";
}

/** Where a line passes, as texts. */
function endsOf(rows: readonly Stroke[]): string[] {
  return rows.flatMap((row) => decodePoints(row.Points).map(({ x, y }) => `${x},${y}`));
}

function lastOf(points: string): string {
  const last = decodePoints(points).at(-1);
  return last ? `${last.x},${last.y}` : "";
}
