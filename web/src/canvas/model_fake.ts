// For tests: a server of the canvas, in as few words as there can be, and the matches of its clients. It is held against
// the true rules by the golden files that the models are held against.

import { decodePoints, encodePoints } from "./model_points.ts";
import type { Link } from "./model_queue.ts";
import { Doc, type Piece, type Range } from "./text_doc.ts";
import type { Author, Board, Cursor, Input, Run, Stroke } from "./types.ts";

interface Tables {
  Cursors: Map<number, Cursor>;
  Authors: Map<number, Author>;
  Runs: Map<number, Run>;
  Strokes: Map<number, Stroke>;
  Board: Map<number, Board>;
}

interface State {
  doc: Doc;
  authors: Map<number, Author>;
  strokes: Map<number, Stroke>;
  board: Board;
  processed: number[]; // by client
}

interface Frame {
  runs: Map<number, Run>;
  state: State;
}

/** The server. Clients are in the seats from 1 on, and their authors have their seats' numbers. */
export class FakeServer {
  readonly clients: FakeClient[] = [];
  #state: State = { doc: new Doc(), authors: new Map(), strokes: new Map(), board: { Clock: 0, Lines: 0, Ink: 0 }, processed: [] };
  readonly #ids = new Map<string, number>();
  #stroke = 0;
  #kept: State | undefined;

  get text(): string {
    return this.#state.doc.text;
  }

  /** All characters, those that are deleted among them. */
  get pieces(): readonly Piece[] {
    return this.#state.doc.pieces;
  }

  join(): FakeClient {
    const seat = this.clients.length + 1;
    const client = new FakeClient(seat);
    this.clients.push(client);
    this.#state.authors.set(seat, { Number: seat, Name: `player ${seat}`, Next: 1 });
    this.#state.processed.push(0);
    return client;
  }

  /** Takes the next command of a client, if one has come. */
  take(client: FakeClient): boolean {
    const i = client.seat - 1;
    const next = client.sent.find(({ seq }) => seq > this.#state.processed[i]!);
    if (!next) return false;
    this.#state.processed[i] = next.seq;
    const why = this.#do(client.seat, next.input);
    if (why) client.refusals.push({ input: next.input, reason: why });
    return true;
  }

  /** Sends a frame to a client, which has it when it takes it. */
  frame(client: FakeClient): void {
    const runs = new Map<number, Run>();
    let After = 0;
    for (const { author, n, len, text } of this.#state.doc.pieces) {
      const key = `${author}:${n}`;
      const id = this.#ids.get(key) ?? this.#ids.size + 1;
      this.#ids.set(key, id);
      runs.set(id, { After, Author: author, N: n, Len: len, Text: text });
      After = id;
    }
    client.frames.push({ runs, state: copy(this.#state) });
  }

  /** Forgets the characters that are deleted, as a server does when nobody can mean them any more. */
  forget(): void {
    this.#state.doc = new Doc(this.#state.doc.pieces.filter((p) => p.text !== ""));
  }

  /** Keeps the state, as a checkpoint. */
  keep(): void {
    this.#kept = copy(this.#state);
  }

  /** Goes back to what was kept, as when another host takes the match over. */
  back(): void {
    if (this.#kept) this.#state = copy(this.#kept);
    for (const client of this.clients) {
      client.frames.length = client.refusals.length = 0;
      client.resumed(this.#state.processed[client.seat - 1]!);
    }
  }

  #do(author: number, input: Input): string | undefined {
    const { Op, N, Text, "At.Author": at, "At.N": n } = input;
    const s = this.#state;
    const a = s.authors.get(author)!;
    if (Op === "Insert") {
      const { doc } = s;
      if (doc.has({ author, n: N }) || doc.has({ author, n: N + [...Text].length - 1 })) return "these characters' numbers are taken";
      if (!doc.insert(author, N, { author: at, n }, Text)) return "there is no such place in the text";
      s.authors.set(author, { ...a, Next: Math.max(a.Next, N + [...Text].length) });
    }
    const ranges = rangesIn(input.Which);
    if (Op === "Delete") {
      if (ranges.some((r) => !s.doc.has({ author: r.author, n: r.n + r.count - 1 }))) return "there are no such characters";
      s.doc.delete(author, ranges);
    }
    if (Op === "Restore") s.doc.restore(author, ranges);
    if (Op === "Draw") {
      s.strokes.set(++this.#stroke, { Author: author, N, Part: 0, Colour: input.Colour, Width: input.Width, Points: Text });
      s.board = { ...s.board, Clock: Math.max(s.board.Clock, N), Lines: s.board.Lines + 1 };
    }
    if (Op === "Extend") {
      const parts = [...s.strokes.values()].filter((l) => l.Author === author && l.N === N);
      if (parts.length === 0) return "this line is gone";
      s.strokes.set(++this.#stroke, { ...parts[0]!, Part: parts.length, Points: joint(parts.at(-1)!.Points, Text) });
    }
    if (Op === "Erase") {
      for (const [id, l] of s.strokes) {
        if (ranges.some((r) => r.author === l.Author && l.N >= r.n && l.N < r.n + r.count)) s.strokes.delete(id);
      }
    }
    return undefined;
  }
}

/** Points of a part, which begin with the last one of the part before. */
function joint(before: string, text: string): string {
  const all = decodePoints(before);
  return encodePoints([all.at(-1)!, ...decodePoints(text)]);
}

function copy(s: State): State {
  return {
    doc: new Doc(s.doc.pieces), authors: new Map(s.authors), strokes: new Map(s.strokes), board: s.board, processed: s.processed.slice(),
  };
}

function rangesIn(bytes: Uint8Array): Range[] {
  const numbers: number[] = [];
  let [v, scale] = [0, 1];
  for (const b of bytes) {
    v += (b & 0x7f) * scale;
    scale *= 0x80;
    if (b < 0x80) {
      numbers.push(v);
      [v, scale] = [0, 1];
    }
  }
  const list: Range[] = [];
  for (let i = 0; i < numbers.length; i += 3) list.push({ author: numbers[i]!, n: numbers[i + 1]!, count: numbers[i + 2]! });
  return list;
}

type Told = (id: number, ...rows: object[]) => void;

/** A client's match. */
export class FakeClient {
  readonly seat: number;
  readonly sent: { seq: number; input: Input }[] = []; // that may be needed again
  readonly frames: Frame[] = []; // on their way
  readonly refusals: { input: Input; reason: string }[] = [];
  readonly tables: Tables;
  readonly #listeners = new Map<string, Told>();
  #seq = 0;
  #processed = 0;

  constructor(seat: number) {
    this.seat = seat;
    this.tables = { Cursors: new Map(), Authors: new Map(), Runs: new Map(), Strokes: new Map(), Board: new Map() };
  }

  get link(): Link {
    const add = (what: string) => (table: string, call: Told) => {
      this.#listeners.set(`${what} ${table}`, call);
      return () => {};
    };
    const unprocessed = () => this.sent.filter(({ seq }) => seq > this.#processed);
    return {
      info: { seat: this.seat }, tables: this.tables, onAdd: add("add"), onChange: add("change"), onRemove: add("remove"),
      get unprocessed() {
        return unprocessed();
      },
      send: (input: Input) => {
        this.sent.push({ seq: ++this.#seq, input });
        return true;
      },
    } as unknown as Link;
  }

  /** Takes the next frame; the model is to be told of it. False: none has come. */
  receive(): boolean {
    const frame = this.frames.shift();
    if (!frame) return false;
    const { state } = frame;
    this.#processed = state.processed[this.seat - 1]!;
    this.tables.Authors = state.authors;
    this.tables.Board = new Map([[1, state.board]]);
    this.tables.Cursors = new Map([[1, {
      Owner: this.seat, Author: this.seat, Away: false, On: "Nowhere", X: 0, Y: 0, "Caret.Author": 0, "Caret.N": 0, "Mark.Author": 0, "Mark.N": 0,
    }]]);
    const runs = this.tables.Runs;
    this.tables.Runs = frame.runs;
    this.#tell("Runs", runs, frame.runs);
    const strokes = this.tables.Strokes;
    this.tables.Strokes = state.strokes;
    this.#tell("Strokes", strokes, state.strokes);
    return true;
  }

  /** Takes up how far the server is, after a failover. */
  resumed(processed: number): void {
    this.#processed = processed;
  }

  #tell(table: string, before: Map<number, object>, now: Map<number, object>): void {
    for (const [id, row] of now) {
      const was = before.get(id);
      if (!was) this.#listeners.get(`add ${table}`)?.(id, row);
      else if (JSON.stringify(was) !== JSON.stringify(row)) this.#listeners.get(`change ${table}`)?.(id, row, was);
    }
    for (const [id, row] of before) if (!now.has(id)) this.#listeners.get(`remove ${table}`)?.(id, row);
  }
}
