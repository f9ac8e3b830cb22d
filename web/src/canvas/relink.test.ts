import assert from "node:assert/strict";
import { test } from "node:test";

import { CanvasModel } from "./model.ts";
import { encodePoints } from "./model_points.ts";
import { command, type Link } from "./model_queue.ts";
import { Relink, untaken } from "./relink.ts";
import type { Author, Board, Cursor, Input, Run, State, Stroke } from "./types.ts";

/** A match of which a test says what has come, and which keeps what is sent. */
class FakeMatch {
  readonly info: Link["info"];
  readonly rows: { [K in keyof State]: Map<number, State[K]> } = {
    Cursors: new Map<number, Cursor>(), Authors: new Map<number, Author>(), Runs: new Map<number, Run>(),
    Strokes: new Map<number, Stroke>(), Board: new Map<number, Board>([[1, { Clock: 0, Lines: 0, Ink: 0 }]]),
  };
  open = true;
  sent: Input[] = [];
  unprocessed: { seq: number; input: Input }[] = [];
  readonly #calls: { name: string; call: (id: number, row: never) => void }[] = [];

  constructor(seat: number) {
    this.info = { seat } as Link["info"];
  }

  get tables(): Link["tables"] {
    return this.rows as unknown as Link["tables"];
  }

  /** Becomes whole: with this author in its seat, and what is there of the room. */
  come(author: number, next: number, runs: Run[] = [], strokes: [number, Stroke][] = []): void {
    this.rows.Authors.set(1, { Number: author, Name: "me", Next: next });
    this.rows.Cursors.set(1, {
      Owner: this.info.seat, Author: author, Away: false, On: "Nowhere", X: 0, Y: 0, "Caret.Author": 0, "Caret.N": 0, "Mark.Author": 0, "Mark.N": 0,
    });
    runs.forEach((run, i) => this.add("Runs", i + 1, run));
    for (const [id, stroke] of strokes) this.add("Strokes", id, stroke);
  }

  add<K extends keyof State>(table: K, id: number, row: State[K]): void {
    this.rows[table].set(id, row);
    for (const { name, call } of this.#calls) if (name === `onAdd ${table}`) call(id, row as never);
  }

  send(input: Input): boolean {
    if (!this.open) return false;
    this.sent.push(input);
    this.unprocessed.push({ seq: this.sent.length, input });
    return true;
  }

  on(what: string, table: keyof State, call: (id: number, row: never) => void): () => void {
    if (what === "onAdd") for (const [id, row] of this.rows[table]) call(id, row as never);
    const heard = { name: `${what} ${table}`, call };
    this.#calls.push(heard);
    return () => void this.#calls.splice(this.#calls.indexOf(heard), 1);
  }

  onAdd = (table: keyof State, call: never) => this.on("onAdd", table, call);
  onChange = (table: keyof State, call: never) => this.on("onChange", table, call);
  onRemove = (table: keyof State, call: never) => this.on("onRemove", table, call);
}

const link = (match: FakeMatch) => match as unknown as Link;
const ops = (match: FakeMatch) => match.sent.map(({ Op, Text }) => (Op === "Insert" ? Text : Op));

test("what is typed and drawn without a seat goes out with the next one, once, and in its order", () => {
  const first = new FakeMatch(3);
  const relink = new Relink(link(first));
  const model = new CanvasModel(relink);
  first.come(7, 1);
  model.frame();
  assert.ok(model.text.edit(0, 0, "one ", 0));
  assert.deepEqual(ops(first), ["one "]);
  first.open = false;
  relink.lost();
  assert.ok(model.text.edit(4, 4, "two ", 5000));
  assert.ok(model.board.begin({ x: 5, y: 5 }, 1, 4));
  model.board.end(model.board.lines[0]!);
  model.frame();
  assert.equal(model.text.text, "one two ");
  assert.deepEqual(ops(first), ["one "], "there is nobody to send to");

  const second = new FakeMatch(1);
  const { N } = first.sent[0]!;
  second.come(7, N + 4, [{ After: 0, Author: 7, N, Len: 4, Text: "one " }]); // the room had taken the first up
  assert.ok(relink.take(link(second)));
  model.frame();
  assert.deepEqual(ops(second), ["two ", "Draw"]);
  assert.equal(model.text.text, "one two ");
  assert.equal(model.board.lines.length, 1);
});

test("what the room did not take up is sent again, before what came later", () => {
  const first = new FakeMatch(1);
  const relink = new Relink(link(first));
  const model = new CanvasModel(relink);
  first.come(7, 1);
  model.frame();
  model.text.edit(0, 0, "one ", 0);
  first.open = false;
  relink.lost();
  model.text.edit(0, 0, "zero ", 5000);
  const second = new FakeMatch(1);
  second.come(7, 1);
  assert.ok(relink.take(link(second)));
  model.frame();
  assert.deepEqual(ops(second), ["one ", "zero "]);
  assert.equal(model.text.text, "zero one ");
});

test("lines that came and went meanwhile are told, whatever ids their rows have now", () => {
  const line = (N: number): Stroke => ({ Author: 9, N, Part: 0, Colour: 0, Width: 3, Points: encodePoints([{ x: N, y: 0 }, { x: N, y: 9 }]) });
  const first = new FakeMatch(1);
  const relink = new Relink(link(first));
  const model = new CanvasModel(relink);
  first.come(7, 1, [], [[11, line(1)], [12, line(2)]]);
  model.frame();
  const told: string[] = [];
  model.board.onChange = (what, { n }) => told.push(`${what} ${n}`);
  const second = new FakeMatch(1);
  second.come(7, 1, [], [[12, line(1)], [13, line(3)]]);
  relink.lost();
  assert.ok(relink.take(link(second)));
  model.frame();
  assert.deepEqual(told.sort(), ["add 3", "remove 2"]);
  assert.deepEqual(model.board.lines.map(({ n }) => n), [1, 3]);
});

test("another author cannot go on where this one was", () => {
  const first = new FakeMatch(1);
  const relink = new Relink(link(first));
  first.come(7, 1);
  const second = new FakeMatch(1);
  second.come(8, 1);
  assert.ok(!relink.take(link(second)));
  assert.ok(!Relink.whole(link(new FakeMatch(1))));
});

test("the room itself says which commands it has", () => {
  const match = new FakeMatch(1);
  const points = (...xs: number[]) => encodePoints(xs.map((x) => ({ x, y: 0 })));
  match.come(7, 5, [], [[1, { Author: 7, N: 2, Part: 0, Colour: 0, Width: 3, Points: points(1, 2, 3) }]]);
  const inputs = [
    command({ Op: "Insert", N: 1, Text: "abcd" }), command({ Op: "Draw", N: 2, Text: points(1) }), command({ Op: "Extend", N: 2, Text: points(2, 3) }),
    command({ Op: "Extend", N: 2, Text: points(4) }), command({ Op: "Point" }), command({ Op: "Erase", N: 9 }), command({ Op: "Insert", N: 5, Text: "e" }),
  ];
  assert.deepEqual(untaken(inputs, match.tables, 7), [inputs[3], inputs[5], inputs[6]]);
  assert.deepEqual(untaken(inputs.slice(0, 3), match.tables, 7), []);
});
