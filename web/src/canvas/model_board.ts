// The drawing as this player sees it: the server's lines, and what he draws and erases himself on top, at once.

import type { Link, Queue } from "./model_queue.ts";
import { command } from "./model_queue.ts";
import { decodePoints, encodePoints, type Point } from "./model_points.ts";
import { type Range, merged, whichOf } from "./text_doc.ts";
import type { Stroke } from "./types.ts";

/** A line of the board. An object never changes but for its points, which only become more. */
export interface Line {
  readonly key: string;
  readonly author: number;
  readonly n: number;
  readonly colour: number;
  readonly width: number;
  readonly points: readonly Point[];
}

/** What became of a line. */
export type LineChange = "add" | "extend" | "remove";

interface Own extends Line {
  readonly points: Point[];
  sent: number; // points that are in commands
  last: boolean; // no more come
}

/** One step back: lines that were drawn, or erased. */
interface BoardEdit {
  drawn: Line[];
  erased: Line[];
}

const MOST_EDITS = 500;
const MOST_POINTS = 400; // of a command: at most six bytes each
const MAX_LINES = 60; // ranges of one command

const keyOf = (author: number, n: number) => `${author}:${n}`;

/** The order in which lines are drawn. */
export function inOrder(a: Line, b: Line): number {
  return a.n - b.n || a.author - b.author;
}

/** The board. Points are whole numbers from 0 to 4096 and 0 to 3072. */
export class BoardModel {
  /** Called for each line that changed, from own calls and from frames. */
  onChange: (what: LineChange, line: Line) => void = () => {};

  readonly #queue: Queue;
  readonly #link: Link;
  #author = 0;
  #last = 0; // the n of the newest own line
  readonly #parts = new Map<string, { line: Stroke; ids: Map<number, number> }>(); // by line: the server's rows, by part
  readonly #touched = new Set<string>();
  readonly #own = new Map<string, Own>(); // those that are not yet the server's, or not whole
  #ended = false; // one of those has, since the last frame
  readonly #hidden = new Set<string>(); // erased, and the server does not know
  readonly #shown = new Map<string, Line>();
  #sorted: Line[] | undefined;
  #undo: BoardEdit[] = [];
  #redo: BoardEdit[] = [];

  constructor(link: Link, queue: Queue) {
    [this.#link, this.#queue] = [link, queue];
    const touch = (id: number, row: Stroke) => this.#touch(id, row, true);
    link.onAdd("Strokes", touch);
    link.onChange("Strokes", touch);
    link.onRemove("Strokes", (id: number, row: Stroke) => this.#touch(id, row, false));
  }

  /** All lines, in the order in which they are drawn. */
  get lines(): readonly Line[] {
    return (this.#sorted ??= [...this.#shown.values()].sort(inOrder));
  }

  /** Whether a line is drawn above all others. */
  isTop(line: Line): boolean {
    const top = this.lines.at(-1);
    return top === undefined || inOrder(top, line) <= 0;
  }

  get canUndo(): boolean {
    return this.#undo.some((e) => e.erased.length > 0 || e.drawn.some((l) => this.#shown.has(l.key)));
  }

  get canRedo(): boolean {
    return this.#redo.some((e) => e.drawn.length > 0 || e.erased.some((l) => this.#shown.has(l.key)));
  }

  /** Begins a line, which others see after the next frame. Undefined: it cannot be drawn now. */
  begin(at: Point, colour: number, width: number): Line | undefined {
    if (this.#author === 0 || this.#queue.full) return undefined;
    const line = this.#draw([at], colour, width);
    this.#remember({ drawn: [line], erased: [] });
    return line;
  }

  /** Draws an own line on. */
  extend(line: Line, points: readonly Point[]): void {
    const own = this.#own.get(line.key);
    if (!own || own.last) return;
    for (const p of points) {
      const q = { x: clamp(p.x, WIDTH), y: clamp(p.y, HEIGHT) };
      const before = own.points.at(-1)!;
      if (q.x !== before.x || q.y !== before.y) own.points.push(q);
    }
    this.onChange("extend", own);
  }

  /** Ends an own line: all of it is sent. */
  end(line: Line): void {
    const own = this.#own.get(line.key);
    if (!own) return;
    own.last = this.#ended = true;
    this.#send(own);
  }

  /** Erases lines. */
  erase(lines: readonly Line[]): void {
    const erased = lines.filter((l) => this.#shown.has(l.key));
    if (erased.length === 0 || this.#queue.full) return;
    this.#wipe(erased);
    this.#remember({ drawn: [], erased });
  }

  /** Erases all own lines. */
  clear(): void {
    this.erase(this.lines.filter((l) => l.author === this.#author));
  }

  /** Takes the newest own edit back; a line that was erased is drawn anew, as an own one. False: there is none. */
  undo(): boolean {
    return this.#turn(this.#undo, this.#redo, (e) => [e.drawn, e.erased], (drawn, erased) => ({ drawn, erased }));
  }

  /** Does again what was undone. */
  redo(): boolean {
    return this.#turn(this.#redo, this.#undo, (e) => [e.erased, e.drawn], (erased, drawn) => ({ drawn, erased }));
  }

  /** Takes up a frame. */
  frame(author: number, settled: boolean): void {
    this.#author = author;
    for (const own of this.#own.values()) if (!own.last) this.#send(own);
    if (settled || this.#ended) this.#settle(); // of a line that ends nothing may be left to be sent
    for (const key of this.#touched) this.#show(key);
    this.#touched.clear();
  }

  #touch(id: number, row: Stroke, there: boolean): void {
    const key = keyOf(row.Author, row.N);
    const known = this.#parts.get(key) ?? { line: row, ids: new Map<number, number>() };
    if (there) {
      known.ids.set(row.Part, id);
      this.#parts.set(key, known);
    } else if (known.ids.get(row.Part) === id) {
      known.ids.delete(row.Part);
      if (known.ids.size === 0) this.#parts.delete(key);
    }
    this.#touched.add(key);
  }

  /** Forgets what the server has taken up. */
  #settle(): void {
    this.#ended = false;
    const open = new Set<string>(); // own lines of which commands are on their way
    const hidden = new Set<string>();
    for (const { input, ranges } of this.#queue.list) {
      if (input.Op === "Draw" || input.Op === "Extend") open.add(keyOf(this.#author, input.N));
      if (input.Op !== "Erase") continue;
      for (const { author, n, count } of ranges!) for (let i = 0; i < count; i++) hidden.add(keyOf(author, n + i));
    }
    for (const key of this.#hidden) {
      if (hidden.has(key)) continue;
      this.#hidden.delete(key);
      this.#touched.add(key);
    }
    for (const [key, own] of this.#own) {
      if (open.has(key) || !own.last) continue;
      this.#own.delete(key);
      this.#touched.add(key);
    }
  }

  /** Works out what a line looks like now, and tells of it. */
  #show(key: string): void {
    const before = this.#shown.get(key);
    const now = this.#hidden.has(key) ? undefined : (this.#own.get(key) ?? this.#known(key));
    if (now === before) return;
    if (now) this.#shown.set(key, now);
    else this.#shown.delete(key);
    if (this.#sorted) this.#sorted.splice(placeOf(this.#sorted, (now ?? before)!), before ? 1 : 0, ...(now ? [now] : []));
    if (before && !now) this.onChange("remove", before);
    else if (now && !before) this.onChange("add", now);
    else if (now && now.points.length !== before!.points.length) this.onChange("extend", now);
  }

  /** A line as the server has it. */
  #known(key: string): Line | undefined {
    const known = this.#parts.get(key);
    if (!known) return undefined;
    const { Author: author, N: n, Colour: colour, Width: width } = known.line;
    const points: Point[] = [];
    for (let part = 0; part < known.ids.size; part++) {
      const row = this.#link.tables.Strokes?.get(known.ids.get(part) ?? 0);
      if (!row) break;
      const more = decodePoints(row.Points);
      points.push(...(part > 0 ? more.slice(1) : more)); // the first is the last one of the part before
    }
    return { key, author, n, colour, width, points };
  }

  #draw(points: readonly Point[], colour: number, width: number): Line {
    const clock = this.#link.tables.Board?.get(1)?.Clock ?? 0;
    const n = (this.#last = Math.max(this.#last, clock) + 1);
    const own: Own = {
      key: keyOf(this.#author, n), author: this.#author, n, colour, width, sent: 0, last: false,
      points: points.map((p) => ({ x: clamp(p.x, WIDTH), y: clamp(p.y, HEIGHT) })),
    };
    this.#own.set(own.key, own);
    this.#show(own.key);
    this.#send(own);
    return own;
  }

  /** Sends the points of a line that are not in commands. */
  #send(own: Own): void {
    while (own.sent < own.points.length) {
      const Text = encodePoints(own.points.slice(own.sent, own.sent + MOST_POINTS));
      const ink = { Colour: own.colour, Width: own.width };
      this.#queue.push({ input: command({ Op: own.sent === 0 ? "Draw" : "Extend", N: own.n, Text, ...(own.sent === 0 && ink) }) });
      own.sent = Math.min(own.points.length, own.sent + MOST_POINTS);
    }
  }

  #wipe(lines: readonly Line[]): void {
    const ranges: Range[] = merged(lines.map(({ author, n }) => ({ author, n, count: 1 })));
    for (let from = 0; from < ranges.length; from += MAX_LINES) {
      const some = ranges.slice(from, from + MAX_LINES);
      this.#queue.push({ input: command({ Op: "Erase", Which: whichOf(some)[0]! }), ranges: some });
    }
    for (const { key } of lines) {
      const own = this.#own.get(key);
      if (own) own.last = true;
      this.#hidden.add(key);
      this.#show(key);
    }
  }

  #remember(e: BoardEdit): void {
    this.#redo = [];
    this.#undo.push(e);
    if (this.#undo.length > MOST_EDITS) this.#undo.shift();
  }

  #turn(
    from: BoardEdit[], to: BoardEdit[], what: (e: BoardEdit) => [Line[], Line[]], back: (away: Line[], anew: Line[]) => BoardEdit,
  ): boolean {
    if (this.#queue.full || this.#author === 0) return false;
    for (let e = from.pop(); e; e = from.pop()) {
      const [away, anew] = what(e);
      const gone = away.filter((l) => this.#shown.has(l.key));
      if (gone.length === 0 && anew.length === 0) continue; // others did it
      if (gone.length > 0) this.#wipe(gone);
      const drawn = anew.map((l) => this.#again(l));
      to.push(back(gone, drawn));
      // Older edits name these lines as they were.
      for (const other of [...from, ...to]) {
        for (const list of [other.drawn, other.erased]) list.forEach((l, i) => {
          const at = anew.findIndex((a) => a.key === l.key);
          if (at >= 0) list[i] = drawn[at]!;
        });
      }
      return true;
    }
    return false;
  }

  /** Draws a line anew. */
  #again(l: Line): Line {
    const line = this.#draw(l.points, l.colour, l.width);
    this.end(line);
    return line;
  }
}

/** Where a line is among others that are in order, or belongs. */
function placeOf(lines: readonly Line[], line: Line): number {
  let [from, to] = [0, lines.length];
  while (from < to) {
    const mid = (from + to) >> 1;
    if (inOrder(lines[mid]!, line) < 0) from = mid + 1;
    else to = mid;
  }
  return from;
}

const WIDTH = 4096;
const HEIGHT = 3072;

function clamp(v: number, most: number): number {
  return Math.min(most, Math.max(0, Math.round(v)));
}
