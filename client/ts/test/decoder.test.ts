import assert from "node:assert/strict";
import { test } from "node:test";
import { Decoder } from "../src/decoder.js";
import { cellValue } from "../src/field.js";
import type { Frame } from "../src/frame.js";
import { Schema } from "../src/schema.js";
import { Tables } from "../src/tables.js";
import { BlockWriter, zigzag } from "./block_writer.js";
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
function decoded(sc: Schema, write: (w: BlockWriter) => BlockWriter): unknown {
  const d = new Decoder(sc);
  const [error] = d.apply(frame(1, [0], [0, write(BlockWriter.begin(true).rows([], 1).id(0, 2)).bit(0).bytes()]));
  const field = sc.tables[0]!.fields[0]!;
  return error ? error.message : cellValue(field, d.rows(0, 0)[0]!.cells[sc.tables[0]!.room[0]!]!);
}

/** Writes a text's length and its bytes. */
const text = (...bytes: number[]) => (w: BlockWriter) => {
  w.number(bytes.length, 3);
  for (const b of bytes) w.put(b, 8);
  return w;
};

test("values of a column are in its range, or the block is none", () => {
  const n = (v: number | bigint, bits: number) => (w: BlockWriter) => w.put(v, bits);
  const cases: [Any[], (w: BlockWriter) => BlockWriter, unknown][] = [
    [["F", 1, 0], n(1, 1), true],
    [["F", 2, 0, 8], n(-128, 8), -128],
    [["F", 2, 0, 8], n(127, 8), 127],
    [["F", 2, 0, 32], n(-(2 ** 31), 32), -(2 ** 31)],
    [["F", 3, 0, 16], n(65535, 16), 65535],
    [["F", 3, 0, 32], n(2 ** 32 - 1, 32), 2 ** 32 - 1],
    [["F", 3, 0, 64], n(-1, 64), 2n ** 64n - 1n],
    [["F", 2, 0, 64], n(-(2n ** 63n), 64), -(2n ** 63n)],
    [["F", 4, 0, -1, 0.5, 4], n(4, 3), 1],
    [["F", 4, 0, -1, 0.5, 4], n(5, 3), /^scope 0: F at byte/],
    [["F", 4, 0, -1, 0.5, 0], (w) => w, -1], // no bits
    [["F", 4, 0, 0, 1, 2 ** 53 - 1], n(2 ** 53 - 1, 53), 2 ** 53 - 1],
    [["F", 5, 0], n(0x3f800000, 32), 1],
    [["F", 6, 0], n(0x3ff0000000000000n, 64), 1],
    [["F", 7, 0, 8], n(192, 8), (192 * 2 * Math.PI) / 256],
    [["F", 8, 0, 2], text(0x61, 0x62), "ab"],
    [["F", 8, 0, 2], text(0x61, 0x62, 0x63), /^scope 0: F at byte/],
    [["F", 8, 0, 2], text(0x80), /^scope 0: F at byte/],
    [["F", 8, 0, 4096], (w) => w.number(4000, 3), /^scope 0: F at byte/],
    [["F", 9, 0, 2], text(0x80), Uint8Array.of(0x80)],
    [["F", 9, 0, 2], (w) => w.number(2 ** 40, 3), /^scope 0: F at byte/],
  ];
  for (const [field, value, want] of cases) {
    const got = decoded(table(field), value);
    if (want instanceof RegExp) assert.match(String(got), want, `${field}`);
    else assert.deepEqual(got, want, `${field}`);
  }
});

/** A table with a column of each way in which values are sent: smooth, an angle, 64 bits, text. */
function mixed() {
  const sc = table(["N", 2, 0, 32], ["A", 7, 0, 8], ["W", 3, 0, 64], ["T", 8, 0, 9]);
  const d = new Decoder(sc);
  const w = BlockWriter.begin(true).rows([], 2);
  w.id(0, 2).put(5, 32).put(1, 8).put(7, 64).text("a");
  w.id(2, 2, 3).put(-5, 32).put(2, 8).put(8, 64).text("b");
  assert.deepEqual(d.apply(frame(1, [0], [0, w.bit(0, 0, 0, 0).bytes()])), []);
  const cells = () => d.rows(0, 0).map((row) => row.cells);
  assert.deepEqual(cells(), [[5, 1, 7n, "a"], [-5, 2, 8n, "b"]]);
  return { d, cells };
}

test("what nobody expected is found by runs", () => {
  const { d, cells } = mixed();
  const w = BlockWriter.begin(false).bit(1, 0);
  w.bit(1, 1).put(1, 3).put(7, 3).number(1, 1).number(zigzag(1000) - 1, 12); // N of the second row
  w.bit(1, 1).put(0, 3).put(0, 3).number(0, 0).number(zigzag(-3) - 1, 0).number(1, 0); // A of the first, and no other
  w.bit(1, 1).put(0, 3).number(0, 0).put(2n ** 64n - 1n, 64).number(0, 0).put(9, 64); // W of both
  w.bit(1, 1).put(0, 3).number(1, 0).text("be"); // T of the second
  assert.deepEqual(d.apply(frame(2, [0], [0, w.bytes()])), []);
  assert.deepEqual(cells(), [[5, 254, -1n, "a"], [995, 2, 9n, "be"]]);
});

test("what moved is expected to go on, and is sent as what it missed", () => {
  const { d, cells } = mixed();
  const first = BlockWriter.begin(false).bit(1, 0).bit(1, 1).put(0, 3).put(0, 3).number(0, 0).number(zigzag(3) - 1, 0);
  d.apply(frame(2, [0], [0, first.number(1, 0).bit(0, 0, 0).bytes()])); // the first row's N: 5, 8
  const second = BlockWriter.begin(false, 2).bit(1, 0).bit(1, 0).number(zigzag(1), 1); // 11 and one more
  assert.deepEqual(d.apply(frame(3, [0], [0, second.bit(0, 0, 0).bytes()])), []);
  assert.deepEqual(cells()[0], [12, 1, 7n, "a"]);
  const third = BlockWriter.begin(false, 3).same(); // linear missed 3 of 4 once, last more: 16
  assert.deepEqual(d.apply(frame(4, [0], [0, third.bytes()])), []);
  assert.deepEqual(cells(), [[16, 1, 7n, "a"], [-5, 2, 8n, "b"]]);
});

test("rows go and come, and a row that came is expected to stay as it is", () => {
  const { d, cells } = mixed();
  const ids = () => d.rows(0, 0).map((row) => row.id);
  assert.deepEqual(ids(), [1, 0x20003]);
  const touched: number[] = [];
  d.touched = (t, id) => touched.push(t, id);
  const w = BlockWriter.begin(false).rows([1], 2);
  w.id(0, 2, 2).put(1, 32).put(1, 8).put(1, 64).text("c").id(1, 2, 256).put(2, 32).put(2, 8).put(2, 64).text("");
  assert.deepEqual(d.apply(frame(2, [0], [0, w.bit(0, 0, 0, 0).bytes()])), []);
  assert.deepEqual(ids(), [1, 2, 0x10100]);
  assert.deepEqual(cells(), [[5, 1, 7n, "a"], [1, 1, 1n, "c"], [2, 2, 2n, ""]]);
  assert.deepEqual(touched, [0, 2, 0, 0x10100, 0, 0x20003]);
  assert.equal(d.row(0, 0, 0x20003), undefined);
  assert.equal(d.row(0, 0, 2)!.cells[3], "c");
  touched.length = 0;
  assert.deepEqual(d.apply(frame(3, [0], [0, BlockWriter.begin(false, 2).same().bytes()])), []);
  assert.deepEqual(d.apply(frame(4, [0])), []);
  assert.deepEqual(touched, []);
});

test("a keyframe brings several states", () => {
  const d = new Decoder(table(["F", 3, 0, 8]));
  const w = BlockWriter.begin(true, 3).rows([], 1).id(0, 2).put(10, 8).bit(0); // 10, two ticks ago
  w.bit(1, 0).bit(1, 1).put(0, 3).put(0, 3).number(0, 0).number(zigzag(5) - 1, 0); // 15
  w.same(); // 20, as expected
  assert.deepEqual(d.apply(frame(9, [0], [0, w.bytes()])), []);
  assert.equal(d.row(0, 0, 1)!.cells[0], 20);
  assert.deepEqual(d.apply(frame(10, [0], [0, BlockWriter.begin(false, 3).same().bytes()])), []);
  assert.equal(d.row(0, 0, 1)!.cells[0], 25);
  assert.deepEqual(d.apply(frame(11, [0], [0, BlockWriter.begin(false, 4).same().bytes()])), []);
  assert.equal(d.row(0, 0, 1)!.cells[0], 30);
});

test("the rows of a block are what they can be, or the block is none", () => {
  const sc = table(["F", 3, 0, 8]);
  const key = () => BlockWriter.begin(true);
  const cases: [name: string, block: number[]][] = [
    ["nothing", []],
    ["no parts", key().bytes().slice(0, 0)],
    ["a keyframe with a gap", BlockWriter.begin(true, 1, 2).same().bytes()],
    ["a gap beyond 2^31", BlockWriter.begin(false, 1, 2 ** 31 + 1).same().bytes()],
    ["no values", key().rows([], 1).id(0, 2).bytes()],
    ["more rows than bits", key().rows([], 4).id(0, 2).put(1, 8).bytes()],
    ["more rows than the table has", [...key().rows([], 5).bytes(), ...Array<number>(99).fill(0)]],
    ["rows without end", [...key().rows([], 2 ** 40).bytes(), ...Array<number>(99).fill(0)]],
    ["bits after the end", key().same().put(1, 2).bytes()],
    ["bytes after the end", [...key().same().bytes(), 0]],
    ["a row that goes, of none", key().rows([0], 0).bytes()],
    ["rows out of order", key().rows([], 2).id(1, 2).put(1, 8).id(0, 2).put(1, 8).bit(0).bytes()],
    ["a row twice", key().rows([], 2).id(1, 2).put(1, 8).id(1, 2).put(1, 8).bit(0).bytes()],
  ];
  for (const [name, block] of cases) {
    const [error] = new Decoder(sc).apply(frame(1, [0], [0, block]));
    assert.equal(error?.reason, "block", name);
  }
  const three = Schema.parse(encode([1, [["T", false, 3, [["F", 1, 0]]]], [], []]));
  const fourth = BlockWriter.begin(true).rows([], 1).id(3, 2).bit(1).bit(0).bytes();
  assert.equal(new Decoder(three).apply(frame(1, [0], [0, fourth]))[0]?.reason, "block");
});

test("a block that does not fit what is here leaves the scope empty", () => {
  const delta = () => BlockWriter.begin(false);
  const cases: [name: string, w: BlockWriter][] = [
    ["more rows go than there are", delta().rows([0, 1, 2], 0)],
    ["a row goes that is not there", delta().rows([2], 0)],
    ["a row comes that is there", delta().rows([], 1).id(2, 2, 3).put(0, 80).put(0, 64).number(0, 3)],
    ["a value beyond the range", delta().bit(1, 0).bit(1, 1).put(0, 3).put(7, 3).number(0, 0).number(2 ** 33, 12)],
    ["a text that is none", delta().bit(1, 0, 0, 0, 0).bit(1, 1).put(0, 3).number(0, 0).number(1, 3).put(0xff, 8)],
  ];
  for (const [name, w] of cases) {
    const { d } = mixed();
    const gone: number[] = [];
    d.touched = (_, id) => gone.push(id);
    const [error] = d.apply(frame(2, [0], [0, [...w.bytes(), ...Array<number>(40).fill(0)]]));
    assert.equal(error?.reason, "block", name);
    assert.equal(d.tickOf(0), undefined);
    assert.deepEqual(gone, [1, 0x20003], name);
  }
});

test("a block of a scope that the head does not name is none", () => {
  const d = new Decoder(schema);
  const errors = d.apply(frame(1, [0], keyframe([], 1), ammo(1)));
  assert.deepEqual(errors.map((e) => [e.scope, e.reason]), [[1, "block"]]);
  assert.deepEqual(d.scopes(), [0]);
});

test("a block builds on the ticks of the last four frames", () => {
  const d = new Decoder(schema);
  const begin = () => {
    d.apply(frame(5, [0], keyframe([[5, "a", 1]], 1)));
    d.apply(frame(8, [0])); // nothing changed
  };
  for (const distance of [2, 3, 5, 2 ** 31]) {
    begin();
    assert.deepEqual(d.apply(frame(9, [0], moved(distance, 1))).map((e) => e.reason), ["base"], `${distance} ticks before 9`);
    assert.equal(d.tickOf(0), undefined);
  }
  begin();
  assert.deepEqual(d.apply(frame(9, [0], [0, BlockWriter.begin(false, 2).same(2).bytes()])).map((e) => e.reason), ["base"]);
  for (const distance of [1, 4]) {
    begin();
    assert.deepEqual(d.apply(frame(9, [0], moved(distance, 1))), []);
    assert.equal(d.row(0, 0, 1)!.cells[0], 6);
  }
  for (const tick of [10, 11]) d.apply(frame(tick, [0]));
  assert.deepEqual(d.apply(frame(12, [0], moved(4, 3))), []); // on that of 8
  assert.equal(d.row(0, 0, 1)!.cells[0], 8);
  assert.deepEqual(d.apply(frame(13, [0], moved(4, 1))), []); // on that of 9
  assert.equal(d.row(0, 0, 1)!.cells[0], 7);
  assert.deepEqual(d.apply(frame(14, [0], moved(5, 1))).map((e) => e.reason), ["base"]); // 9 is the fifth
});

/** Tables over a schema, with what they told. */
function watched(sc: Schema) {
  const told: string[] = [];
  const note = (what: string, name: string, id: number) => void told.push(`${what} ${name} ${id}`);
  const d = new Decoder(sc);
  return { d, told, tables: new Tables(d, note) };
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
  d.row = (scope, index, id, own) => (looked.push(id), row(scope, index, id, own));
  d.apply(frame(1, [0], keyframe([[1, "a", 1], [2, "b", 2]], 9)));
  tables.update();
  assert.equal(looked.length, 3);
  d.apply(frame(2, [0], moved(1, 1, 2)));
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
  const w = BlockWriter.begin(false).rows([0], 1).id(0, 3, 2).put(1, 16).text("").put(1, 16);
  assert.deepEqual(d.apply(frame(2, [0], [0, w.bit(0, 0, 0).same().bytes()])), []);
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
  d.apply(frame(3, [0, 1], [1, BlockWriter.begin(false).same().rows([0], 0).bit(0).same().bytes()])); // another seat has it
  tables.update();
  assert.deepEqual(tables.views["Ships"]!.get(1), { X: 1, Name: "a", Owner: 1 });
});

test("a table that is its owners' alone shows their rows", () => {
  const { d, tables } = watched(table(["Owner", 3, 33, 16], ["Card", 3, 1, 8]));
  const room = BlockWriter.begin(true).rows([], 1).id(1, 2);
  const seat = BlockWriter.begin(true).same().rows([], 1).id(1, 2).put(2, 16).put(7, 8).bit(0, 0);
  assert.deepEqual(d.apply(frame(1, [0, 2], [0, room.bytes()], [2, seat.bytes()])), []);
  tables.update();
  assert.deepEqual([...tables.views["T"]!], [[65537, { Owner: 2, Card: 7 }]]);
});

test("a row is seen in whatever scope it is, and is one row when it goes from one to another", () => {
  const { d, told, tables } = watched(table(["Owner", 3, 32, 16], ["Card", 3, 1, 8]));
  const row = (w: BlockWriter) => w.rows([], 1).id(1, 2).put(2, 16).bit(0);
  const own = (w: BlockWriter) => w.rows([], 1).id(1, 2).put(7, 8).bit(0);
  const nothing = () => BlockWriter.begin(true).same().bytes();
  const [team, cell] = [0x401, 0x805];
  const scopes = [0, 2, team, cell];
  const key = BlockWriter.begin(true);
  d.apply(frame(1, scopes, [0, nothing()], [2, own(row(key)).bytes()], [team, nothing()], [cell, nothing()]));
  tables.update();
  assert.deepEqual([...tables.views["T"]!], [[65537, { Owner: 2, Card: 7 }]]); // in the seat's
  const gone = BlockWriter.begin(false).rows([0], 0).bit(0).same();
  d.apply(frame(2, scopes, [2, gone.bytes()], [cell, row(BlockWriter.begin(false)).bytes()]));
  tables.update();
  assert.deepEqual([...tables.views["T"]!], [[65537, { Owner: 2, Card: 7 }]]); // in the cell's, and still the seat's own
  assert.deepEqual(told, ["add T 65537"]);
  d.apply(frame(3, [0, 2, team]));
  tables.update();
  assert.deepEqual(told, ["add T 65537", "remove T 65537"]);
});

test("rows are met in the order of their ids, whenever they came", () => {
  const { d, tables } = watched(table(["F", 3, 0, 8]));
  d.apply(frame(1, [0], [0, BlockWriter.begin(true).rows([], 1).id(2, 2).put(1, 8).bit(0).bytes()]));
  tables.update();
  assert.deepEqual([...tables.views["T"]!].map(([id]) => id >> 16), [2]);
  d.apply(frame(2, [0], [0, BlockWriter.begin(false).rows([], 1).id(0, 2).put(1, 8).bit(0).bytes()]));
  tables.update();
  assert.deepEqual([...tables.views["T"]!].map(([id]) => id >> 16), [0, 2]);
});

test("a schema says what a decoder can work with, or it is none", () => {
  const ok: Any[] = ["F", 3, 0, 8];
  const bad: [string, Any[]][] = [
    ["another form", [2, [], [], []]],
    ["65 tables", [1, Array<Any>(65).fill(["T", false, 1, []]), [], []]],
    ["a table of 32769 rows", [1, [["T", false, 32769, [ok]]], [], []]],
    ["two fields of a name", [1, [["T", false, 1, [ok, ok]]], [], []]],
    ["an owner's column without an owner", [1, [["T", false, 1, [["F", 3, 1, 8]]]], [], []]],
    ["an owner that is no seat", [1, [["T", false, 1, [["F", 3, 1, 8], ["Owner", 3, 0, 16]]]], [], []]],
    ["a name that objects have already", [1, [["T", false, 1, [["__proto__", 3, 0, 8]]]], [], []]],
    ["a name of 65 bytes", [1, [["T".repeat(65), false, 1, [ok]]], [], []]],
    ["an unknown kind", [1, [["T", false, 1, [["F", 13, 0]]]], [], []]],
    ["an enum without names", [1, [["T", false, 1, [["F", 10, 0, []]]]], [], []]],
    ["an enum with a name twice", [1, [["T", false, 1, [["F", 10, 0, ["a", "a"]]]]], [], []]],
    ["a slice of no elements", [1, [["T", false, 1, [["F", 11, 0, 0]]]], [], []]],
    ["a slice of 65 elements", [1, [["T", false, 1, [["F", 11, 0, 65]]]], [], []]],
    ["a reference to no table", [1, [["T", false, 1, [["F", 12, 0, 1]]]], [], []]],
    ["a reference to a single row", [1, [["T", true, 1, [["F", 12, 0, 0]]]], [], []]],
    ["a column for owner and team", [1, [["T", false, 1, [["F", 3, 17, 8], ["Owner", 3, 32, 16]]]], [], []]],
    ["a team's column without an owner", [1, [["T", false, 1, [["F", 3, 16, 8]]]], [], []]],
    ["9 bits", [1, [["T", false, 1, [["F", 2, 0, 9]]]], [], []]],
    ["an angle of 17 bits", [1, [["T", false, 1, [["F", 7, 0, 17]]]], [], []]],
    ["an angle of no bits", [1, [["T", false, 1, [["F", 7, 0, 0]]]], [], []]],
    ["a step of 0", [1, [["T", false, 1, [["F", 4, 0, 0, 0, 5]]]], [], []]],
    ["a column without its bits", [1, [["T", false, 1, [["F", 2, 0]]]], [], []]],
    ["257 fields", [1, [["T", false, 1, Array.from({ length: 257 }, (_, i) => [`F${i}`, 1, 0])]], [], []]],
    ["256 events", [1, [], [], Array.from({ length: 256 }, (_, i) => [`E${i}`, []])]],
    ["no events", [1, [], []]],
  ];
  for (const [name, v] of bad) {
    assert.throws(() => Schema.parse(encode(v)), (e) => e instanceof Error && e.name === "MalformedError", name);
  }
  const newer = Schema.parse(encode([1, [["T", false, 1, [[...ok, "more"]], 1]], [], [["E", [ok], 2]], 3]));
  assert.equal(newer.tables[0]!.fields[0]!.bits, 8);
  assert.equal(newer.events[0]!.name, "E");
});
