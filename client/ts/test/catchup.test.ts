import assert from "node:assert/strict";
import { test } from "node:test";
import { Decoder } from "../src/decoder.js";
import { cellValue } from "../src/field.js";
import { type Frame, noHead, readFrame } from "../src/frame.js";
import { openMessage } from "../src/from_server.js";
import { type Audience, Schema } from "../src/schema.js";
import { type Row, Tables } from "../src/tables.js";
import { golden, unhex } from "./vectors.js";

interface Stream {
  schema: string;
  columns: Record<Audience, string[]>;
  frames: { tick: number; hex: string; rows: Record<string, unknown[][]>; merged: unknown[][]; told: string[] }[];
}

const stream = golden<Stream>("proto/testdata/catchup.json");
const schema = Schema.parse(unhex(stream.schema));
const [rows] = schema.tables;

/** The frames of the golden stream, as they are read one after the other. */
function* frames(): Generator<[Frame, Stream["frames"][number]]> {
  let head = noHead;
  for (const want of stream.frames) {
    const frame = readFrame(openMessage(unhex(want.hex)), head);
    head = frame.head;
    yield [frame, want];
  }
}

/** What a decoder has of the first table, by scope and audience; a scope without rows is left out. */
function rowsOf(d: Decoder): Record<string, unknown[][]> {
  const out: Record<string, unknown[][]> = {};
  for (const scope of d.scopes()) {
    for (const to of ["room", "own", "team"] as const) {
      const list = d.rows(scope, 0, to);
      if (list.length === 0) continue;
      out[to === "room" ? `${scope}` : `${scope} ${to}`] = list.map(({ id, cells }) => [
        id, ...rows![to].map((c) => cellValue(rows!.fields[c]!, cells[c]!)),
      ]);
    }
  }
  return out;
}

test("the golden columns are the schema's", () => {
  for (const to of ["room", "own", "team"] as const) {
    assert.deepEqual(rows![to].map((i) => rows!.fields[i]!.name), stream.columns[to]);
  }
});

test("a viewer that catches up has the golden rows in every scope, and of them makes the golden table", () => {
  const d = new Decoder(schema);
  let told: string[] = [];
  const note = (what: string, table: string, id: number) => {
    if (table === rows!.name) told.push(`${what} ${id}`);
  };
  const tables = new Tables(d, note);
  const names = [...stream.columns.room, ...stream.columns.own, ...stream.columns.team];
  const list = (row: Row) => names.map((n) => row[n] ?? null);
  for (const [frame, want] of frames()) {
    told = [];
    assert.deepEqual(d.apply(frame), [], `tick ${want.tick}`);
    tables.update();
    assert.deepEqual(rowsOf(d), want.rows, `tick ${want.tick}`);
    assert.deepEqual([...tables.views[rows!.name]!].map(([id, row]) => [id, ...list(row)]), want.merged, `tick ${want.tick}`);
    assert.deepEqual(told.sort(), want.told, `tick ${want.tick}`);
  }
});

test("the golden stream has what it is meant to test", () => {
  const all = [...frames()].map(([f]) => f);
  const parts = all.flatMap((f) => f.blocks.filter((b) => b.part).map((b) => ({ ...b.part!, at: f.head.tick })));
  assert.ok(parts.some((p) => p.at > p.tick), "parts that come later than their keyframe's tick");
  assert.ok(all.some((f) => f.blocks.some((b, i) => b.part && f.blocks[i + 1]?.scope === b.scope)), "the last, and what leads on");
  assert.ok(all.some((f, i) => i > 0 && f.head.tick > all[i - 1]!.head.tick + 2), "skipped frames");
  const rates = new Set(all.flatMap((f) => f.head.scopes.map((w) => Math.floor(w / 0x10000) + 1)));
  assert.deepEqual([...rates].sort(), [1, 2, 4]);
});
