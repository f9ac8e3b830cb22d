import assert from "node:assert/strict";
import { test } from "node:test";
import { Decoder } from "../src/decoder.js";
import { cellValue } from "../src/field.js";
import type { Frame } from "../src/frame.js";
import { columnsOf, Schema } from "../src/schema.js";
import { Tables } from "../src/tables.js";
import { ammo, keyframe, moved, SCHEMA } from "./fake_server.js";
import { type Any, encode } from "./msgpack.js";

const schema = Schema.parse(encode(SCHEMA));

/** A schema of one table, "T", of at most four rows. */
function table(...fields: Any[]): Schema {
  return Schema.parse(encode([1, [["T", false, 4, fields]], [], []]));
}

function frame(tick: number, scopes: number[], ...blocks: [scope: number, data: number[]][]): Frame {
  return {
    head: { epoch: 1n, tick, processed: 0, durable: 0, lead: 0, scopes },
    hashes: [],
    blocks: blocks.map(([scope, data]) => ({ scope, data: Uint8Array.from(data) })),
  };
}

/** What a keyframe of one row of a table's only column decodes to, or the error's text. */
function decoded(sc: Schema, ...value: number[]): unknown {
  const d = new Decoder(sc);
  const [error] = d.apply(frame(1, [0], [0, [0, 6, 1, ...value, 0]]));
  const field = sc.tables[0]!.fields[0]!;
  return error ? error.message : cellValue(field, d.rows(0, 0)[0]!.cells[columnsOf(sc.tables[0]!, 0)[0]!]!);
}

const FF = Array<number>(9).fill(0xff);

test("values of a column are in its range, or the block is none", () => {
  const cases: [Any[], number[], unknown][] = [
    [["F", 1, 0], [2], true],
    [["F", 1, 0], [4], /out of range/],
    [["F", 2, 0, 8], [0xff, 0x01], -128],
    [["F", 2, 0, 8], [0x80, 0x02], /out of range/], // 128
    [["F", 3, 0, 16], [0xfe, 0xff, 0x07], 65535],
    [["F", 3, 0, 16], [0x80, 0x80, 0x08], /out of range/], // 65536
    [["F", 3, 0, 16], [1], /out of range/], // -1
    [["F", 3, 0, 64], [1], 2n ** 64n - 1n],
    [["F", 2, 0, 64], [...FF, 0x01], -(2n ** 63n)],
    [["F", 4, 0, -1, 0.5, 4], [8], 1],
    [["F", 4, 0, -1, 0.5, 4], [10], /out of range/],
    [["F", 4, 0, -1, 0.5, 4], [...FF, 0x01], /out of range/],
    [["F", 5, 0], [0x80, 0x80, 0x80, 0xf8, 0x07], 1],
    [["F", 5, 0], [0x80, 0x80, 0x80, 0x80, 0x20], /out of range/], // 2^32
    [["F", 7, 0, 8], [0x7f], (192 * 2 * Math.PI) / 256], // -64 of 256 parts
    [["F", 7, 0, 8], [...FF, 0x01], 0], // -2^63
    [["F", 8, 0, 2], [2, 0x61, 0x62], "ab"],
    [["F", 8, 0, 2], [3, 0x61, 0x62, 0x63], /longer/],
    [["F", 8, 0, 2], [1, 0x80], /not UTF-8/],
    [["F", 9, 0, 2], [1, 0x80], Uint8Array.of(0x80)],
    [["F", 9, 0, 2], [...FF, 0x01], /longer/],
    [["F", 3, 0, 64], [...FF, 0x02], /more than 64 bits/],
    [["F", 3, 0, 64], [...FF, 0xff, 0x01], /more than 64 bits/],
    [["F", 3, 0, 8], [...Array<number>(8).fill(0x80), 0x00], 0], // longer than need be
  ];
  for (const [field, value, want] of cases) {
    const got = decoded(table(field), ...value);
    if (want instanceof RegExp) assert.match(String(got), want, `${field} ${value}`);
    else assert.deepEqual(got, want, `${field} ${value}`);
  }
});

test("a difference is to what the row has, with the bits of its kind", () => {
  const sc = table(["A", 7, 0, 8], ["W", 3, 0, 64], ["N", 2, 0, 32]);
  const d = new Decoder(sc);
  d.apply(frame(1, [0], [0, [0, 6, 1, 2, 1, 10, 0]])); // 1, 2^64 - 1, 5
  assert.deepEqual(d.apply(frame(2, [0], [0, [1, 7, 7, 3, 2, 11, 0]])), []); // -2, +1, -6
  const [row] = d.rows(0, 0);
  assert.deepEqual(sc.tables[0]!.fields.map((f, i) => cellValue(f, row!.cells[i]!)), [(255 * 2 * Math.PI) / 256, 0n, -1]);
  assert.deepEqual(d.apply(frame(3, [0], [0, [1, 7, 2, 2, 0]])), []); // the others stay
  assert.deepEqual(row!.cells, [255, 1n, -1]);
});

test("the rows of a block are what they can be, or the block is none", () => {
  const sc = table(["F", 3, 0, 8]);
  const cases: [name: string, block: number[], want: RegExp][] = [
    ["nothing", [], /cut short/],
    ["no end", [0, 6, 1, 2], /cut short/],
    ["bytes after the end", [0, 0, 0], /after the end/],
    ["an end with a gap", [0, 4], /end of rows/],
    ["no gap", [0, 2, 1, 2, 0], /beyond/],
    ["a slot beyond the table's bound", [0, 22, 1, 2, 0], /beyond/],
    ["a gap without end", [0, ...FF, 0x01], /T: /],
    ["slot 0 of generation 0", [0, 6, 0, 2, 0], /no id/],
    ["a generation of 17 bits", [0, 6, 0x80, 0x80, 0x04, 2, 0], /no id/],
    ["a change of a row that is not here", [0, 7, 1, 2, 0], /not here/],
    ["the removal of a row that is not here", [0, 5, 0], /not here/],
  ];
  for (const [name, block, want] of cases) {
    const [error] = new Decoder(sc).apply(frame(1, [0], [0, block]));
    assert.equal(error?.reason, "block", name);
    assert.match(error!.message, want, name);
  }
  const d = new Decoder(sc);
  assert.deepEqual(d.apply(frame(1, [0], [0, [0, 18, 0, 2, 0]])), []); // the last slot, generation 0
  assert.equal(d.rows(0, 0)[0]!.id, 3 << 16);
});

test("a block of a scope that the head does not name is none", () => {
  const d = new Decoder(schema);
  const errors = d.apply(frame(1, [0], keyframe([], 1), ammo(1)));
  assert.deepEqual(errors.map((e) => [e.scope, e.reason]), [[1, "block"]]);
  assert.deepEqual(d.scopes(), [0]);
});

test("a block is based on the frame before, whatever it says", () => {
  const d = new Decoder(schema);
  d.apply(frame(5, [0], keyframe([[5, "a", 1]], 1)));
  d.apply(frame(8, [0])); // nothing changed
  assert.deepEqual(d.apply(frame(9, [0], moved(4, 1))).map((e) => e.reason), ["base"]);
  d.apply(frame(10, [0], keyframe([[5, "a", 1]], 1)));
  assert.deepEqual(d.apply(frame(12, [0], moved(2, 1))), []);
  assert.equal(d.row(0, 0, 1)!.cells[0], 6);
});

/** Tables over a schema, with what they told. */
function watched(sc: Schema) {
  const told: string[] = [];
  const note = (what: string) => (name: string, id: number) => void told.push(`${what} ${name} ${id}`);
  const d = new Decoder(sc);
  return { d, told, tables: new Tables(d, { onAdd: note("add"), onChange: note("change"), onRemove: note("remove") }) };
}

test("a keyframe removes what it does not have", () => {
  const { d, told, tables } = watched(schema);
  d.apply(frame(1, [0], keyframe([[1, "a", 1], [2, "b", 2]], 9)));
  tables.update();
  told.length = 0;
  d.apply(frame(2, [0], keyframe([[1, "a", 1]], 8)));
  tables.update();
  assert.deepEqual(told.sort(), ["change Round 1", "remove Ships 65537"]);
  assert.deepEqual([...tables.views["Ships"]!].map(([id]) => id), [1]);
});

test("an update looks at nothing but what a frame has touched", () => {
  const { d, tables } = watched(schema);
  const looked: number[] = [];
  const row = d.row.bind(d);
  d.row = (scope, index, id) => (looked.push(id), row(scope, index, id));
  d.apply(frame(1, [0], keyframe([[1, "a", 1], [2, "b", 2]], 9)));
  tables.update();
  assert.equal(looked.length, 3);
  d.apply(frame(2, [0], moved(1, 1)));
  tables.update();
  d.apply(frame(3, [0]));
  tables.update();
  assert.deepEqual(looked.slice(3), [1]);
});

test("a slot that is taken again is another row", () => {
  const { d, told, tables } = watched(schema);
  d.apply(frame(1, [0], keyframe([[1, "a", 1]], 9)));
  tables.update();
  told.length = 0;
  d.apply(frame(2, [0], [0, [1, 6, 2, 2, 0, 2, 0, 0]]));
  tables.update();
  assert.deepEqual(told.sort(), ["add Ships 2", "remove Ships 1"]);
});

test("of a row of which only the owner's part is here nothing shows", () => {
  const { d, told, tables } = watched(schema);
  d.apply(frame(1, [0, 1], keyframe([], 9), ammo(3)));
  tables.update();
  assert.equal(tables.views["Ships"]!.size, 0);
  d.apply(frame(2, [0, 1], keyframe([[1, "a", 1]], 9)));
  tables.update();
  assert.deepEqual(told, ["add Round 1", "add Ships 1"]);
  assert.deepEqual(tables.views["Ships"]!.get(1), { X: 1, Name: "a", Owner: 1, Ammo: 3 });
  d.apply(frame(3, [0, 1], [1, [1, 5, 0]])); // handed to another seat
  tables.update();
  assert.deepEqual(tables.views["Ships"]!.get(1), { X: 1, Name: "a", Owner: 1 });
});

test("a table that is its owners' alone shows their rows", () => {
  const { d, tables } = watched(table(["Owner", 3, 33, 16], ["Card", 3, 1, 8]));
  assert.deepEqual(d.apply(frame(1, [0, 2], [0, [0]], [2, [0, 10, 1, 4, 14, 0]])), []);
  tables.update();
  assert.deepEqual([...tables.views["T"]!], [[65537, { Owner: 2, Card: 7 }]]);
});

test("rows are met in the order of their ids, whenever they came", () => {
  const { d, tables } = watched(table(["F", 3, 0, 8]));
  d.apply(frame(1, [0], [0, [0, 14, 1, 2, 0]]));
  tables.update();
  assert.deepEqual([...tables.views["T"]!].map(([id]) => id >> 16), [2]);
  d.apply(frame(2, [0], [0, [1, 6, 1, 2, 0]]));
  tables.update();
  assert.deepEqual([...tables.views["T"]!].map(([id]) => id >> 16), [0, 2]);
});

test("a schema says what a decoder can work with, or it is none", () => {
  const ok: Any[] = ["F", 3, 0, 8];
  const bad: [string, Any[], RegExp][] = [
    ["another form", [2, [], [], []], /form 2/],
    ["65 tables", [1, Array<Any>(65).fill(["T", false, 1, []]), [], []], /tables/],
    ["a table of 32769 rows", [1, [["T", false, 32769, [ok]]], [], []], /max/],
    ["two fields of a name", [1, [["T", false, 1, [ok, ok]]], [], []], /one name/],
    ["an owner's column without an owner", [1, [["T", false, 1, [["F", 3, 1, 8]]]], [], []], /Owner/],
    ["an owner that is no seat", [1, [["T", false, 1, [["F", 3, 1, 8], ["Owner", 3, 0, 16]]]], [], []], /Owner/],
    ["a name that objects have already", [1, [["T", false, 1, [["__proto__", 3, 0, 8]]]], [], []], /not a name/],
    ["a name of 65 bytes", [1, [["T".repeat(65), false, 1, [ok]]], [], []], /name/],
    ["an unknown kind", [1, [["T", false, 1, [["F", 10, 0]]]], [], []], /kind/],
    ["9 bits", [1, [["T", false, 1, [["F", 2, 0, 9]]]], [], []], /bits/],
    ["an angle of 17 bits", [1, [["T", false, 1, [["F", 7, 0, 17]]]], [], []], /bits/],
    ["an angle of no bits", [1, [["T", false, 1, [["F", 7, 0, 0]]]], [], []], /bits/],
    ["a step of 0", [1, [["T", false, 1, [["F", 4, 0, 0, 0, 5]]]], [], []], /step/],
    ["a column without its bits", [1, [["T", false, 1, [["F", 2, 0]]]], [], []], /bits/],
    ["257 fields", [1, [["T", false, 1, Array.from({ length: 257 }, (_, i) => [`F${i}`, 1, 0])]], [], []], /fields/],
    ["256 events", [1, [], [], Array.from({ length: 256 }, (_, i) => [`E${i}`, []])], /events/],
    ["no events", [1, [], []], /events/],
  ];
  for (const [name, v, want] of bad) {
    assert.throws(() => Schema.parse(encode(v)), (e) => e instanceof Error && e.name === "MalformedError" && want.test(e.message), name);
  }
  const newer = Schema.parse(encode([1, [["T", false, 1, [[...ok, "more"]], 1]], [], [["E", [ok], 2]], 3]));
  assert.equal(newer.tables[0]!.fields[0]!.bits, 8);
  assert.equal(newer.events[0]!.name, "E");
});
