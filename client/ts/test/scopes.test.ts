// Scopes at a lower rate, keyframes in parts, rows that go from scope to scope, and columns that not everybody has.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Decoder } from "../src/decoder.js";
import type { Block, Frame } from "../src/frame.js";
import { Schema } from "../src/schema.js";
import { type Row, Tables } from "../src/tables.js";
import { BlockWriter } from "./block_writer.js";
import { type Any, encode } from "./msgpack.js";

/** A schema of one table, "T", of at most four rows. */
function table(...fields: Any[]): Schema {
  return Schema.parse(encode([1, [["T", false, 4, fields]], [], []]));
}

const schema = table(["HP", 3, 0, 8]);
const [NEAR, FAR, FARTHER] = [0x800, 0x801, 0x802];

/** An element of a head's scopes. */
function watch(scope: number, every = 1): number {
  return scope + 0x10000 * (every - 1);
}

function frame(tick: number, scopes: number[], ...blocks: Block[]): Frame {
  return { head: { epoch: 1n, tick, processed: 0, durable: 0, lead: 0, scopes }, hashes: [], blocks };
}

function block(scope: number, w: BlockWriter | Uint8Array): Block {
  return { scope, data: w instanceof Uint8Array ? w : Uint8Array.from(w.bytes()) };
}

/** A keyframe of rows by their slots, or of none. */
function key(...hps: number[]): BlockWriter {
  const w = BlockWriter.begin(true);
  if (hps.length === 0) return w.same();
  w.rows([], hps.length);
  hps.forEach((hp, slot) => w.id(slot, 2).put(hp, 8));
  return w.bit(0);
}

/** The only row comes, with other rows' slots before it, or goes. */
const comes = (hp: number, gap = 1, slot = 0, generation = 1) =>
  BlockWriter.begin(false, 1, gap).rows([], 1).id(slot, 2, generation).put(hp, 8).bit(0);
const goes = (gap = 1) => BlockWriter.begin(false, 1, gap).rows([0], 0).bit(0);

/** A decoder with what its tables show and told. */
function client(sc = schema) {
  const d = new Decoder(sc);
  let told: string[] = [];
  const note = (what: string, _: string, id: number) => void told.push(`${what} ${id}`);
  const tables = new Tables(d, note);
  const take = (f: Frame) => {
    told = [];
    const errors = d.apply(f).map((e) => `${e.scope} ${e.reason}`);
    tables.update();
    return errors;
  };
  const shown = () => [...tables.views["T"]!];
  const hp = () => shown().map(([, row]) => (row as Row)["HP"]);
  return { d, take, shown, hp, told: () => told.sort() };
}

/** A keyframe of a tick in three parts, of a scope. */
function inParts(scope: number, tick: number, ...hps: number[]): [Block, Block, Block] {
  const data = Uint8Array.from(key(...hps).bytes());
  const cuts = [0, 1, 2, data.length];
  return [0, 1, 2].map((i): Block => ({
    scope, data: data.subarray(cuts[i]!, cuts[i + 1]!), part: { tick, from: cuts[i]!, size: data.length },
  })) as [Block, Block, Block];
}

test("a keyframe in parts counts when the last is here, and what leads on from it follows in the same frame", () => {
  const { d, take, hp } = client();
  const [a, b, c] = inParts(0, 5, 50);
  assert.deepEqual(take(frame(5, [0], a)), []);
  assert.deepEqual(d.scopes(), []);
  assert.deepEqual(take(frame(6, [0], b)), []);
  assert.deepEqual(take(frame(7, [0])), [], "a frame without a part");
  const rest = BlockWriter.begin(false, 1, 3).bit(1, 0).bit(1, 1).put(0, 3).put(0, 3).number(0, 0).number(1, 0);
  assert.deepEqual(take(frame(8, [0], c, block(0, rest))), []); // HP by one more
  assert.deepEqual(hp(), [51]);
  assert.equal(d.tickOf(0), 8);
});

test("what was there of a scope stays until its keyframe is whole, and is not said to be of a later tick", () => {
  const { d, take, hp } = client();
  take(frame(4, [0], block(0, key(40))));
  const [a, b, c] = inParts(0, 5, 50, 60);
  take(frame(5, [0], a));
  take(frame(6, [0], b));
  assert.deepEqual([hp(), d.tickOf(0)], [[40], 4]);
  take(frame(7, [0], c));
  assert.deepEqual([hp(), d.tickOf(0)], [[50, 60], 7]); // 5, and nothing has changed since
});

test("what goes from a scope that is there goes, while another of a new socket is on its way", () => {
  const told: string[] = [];
  let d = new Decoder(schema);
  const tables = new Tables(d, (what, _, id) => void told.push(`${what} ${id}`));
  const take = (f: Frame) => {
    assert.deepEqual(d.apply(f), []);
    tables.update();
    return told.splice(0);
  };
  take(frame(4, [0, NEAR], block(0, key(40)), block(NEAR, BlockWriter.begin(true).rows([], 1).id(1, 2).put(10, 8).bit(0))));
  tables.follow(d = new Decoder(schema));
  const [a, b, c] = inParts(0, 5, 41);
  const cell = BlockWriter.begin(true).rows([], 2).id(2, 2).put(20, 8).id(3, 2).put(30, 8).bit(0);
  assert.deepEqual(take(frame(5, [0, NEAR], a, block(NEAR, cell))), ["add 131073", "add 196609"]);
  const one = BlockWriter.begin(false, 1, 1).rows([0], 0).bit(0);
  assert.deepEqual(take(frame(6, [0, NEAR], b, block(NEAR, one))), ["remove 131073"]);
  assert.deepEqual(take(frame(7, [0, NEAR], c)), ["change 1", "remove 65537"]);
});

test("parts that do not follow each other are an error of their scope alone", () => {
  const [a, b, c] = inParts(0, 5, 50);
  const size = { ...b, part: { ...b.part!, size: b.part!.size + 1 } };
  const cases: [name: string, frames: Block[][]][] = [
    ["out of order", [[a], [c]]],
    ["without the first", [[b]]],
    ["twice", [[a], [b], [b]]],
    ["of another tick", [[a], [inParts(0, 6, 50)[1]]]],
    ["of another size", [[a], [size]]],
    ["after the last", [[a, b, c], [c]]],
  ];
  for (const [name, frames] of cases) {
    const { d, take } = client();
    take(frame(4, [0, 1], block(0, key(40)), block(1, key(1))));
    let tick = 5;
    for (const blocks of frames.slice(0, -1)) assert.deepEqual(take(frame(tick++, [0, 1], ...blocks)), [], name);
    assert.deepEqual(take(frame(tick++, [0, 1], ...frames.at(-1)!)), ["0 base"], name);
    assert.deepEqual(d.scopes(), [1], name);
    assert.deepEqual([...d.lost], [0], name);
    assert.deepEqual(take(frame(tick, [0, 1], ...inParts(0, tick, 70))), [], name);
    assert.deepEqual([d.tickOf(0), [...d.lost]], [tick, []], name);
  }
});

test("a keyframe whose parts are no block is an error when it is whole", () => {
  const { take } = client();
  const [a, b, c] = inParts(0, 5, 50);
  assert.deepEqual(take(frame(5, [0], a, b, { ...c, data: c.data.map(() => 0xff) })), ["0 block"]);
});

test("a scope that is forgotten in between takes the parts with it", () => {
  const { take, d } = client();
  const [a, b, c] = inParts(0, 5, 50);
  take(frame(5, [0], a, b));
  take(frame(6, [1]));
  assert.deepEqual(take(frame(7, [0], c)), ["0 base"]);
  assert.deepEqual(d.scopes(), []);
});

test("a lone whole block drops what was collected", () => {
  const { take, hp, d } = client();
  const [a, b, c] = inParts(0, 5, 50);
  take(frame(5, [0], a, b));
  assert.deepEqual(take(frame(6, [0], block(0, key(60)))), []);
  take(frame(7, [0]));
  assert.deepEqual([hp(), d.tickOf(0)], [[60], 7], "silence counts again");
  assert.deepEqual(take(frame(8, [0], c)), ["0 base"]);
});

test("the first part again begins anew", () => {
  const { take, hp } = client();
  take(frame(5, [0], ...inParts(0, 5, 50).slice(0, 2)));
  assert.deepEqual(take(frame(6, [0], ...inParts(0, 6, 60))), []);
  assert.deepEqual(hp(), [60]);
});

test("a scope that is merely not here yet is not lost", () => {
  const { d, take } = client();
  take(frame(5, [0, 1], block(0, key(1))));
  assert.deepEqual([...d.lost], []);
  take(frame(6, [0, 1], block(0, goes(9))));
  assert.deepEqual([...d.lost], [0]);
  take(frame(7, [0, 1]));
  assert.deepEqual([...d.lost], [0], "until something comes");
  take(frame(8, [0, 1], inParts(0, 8, 1)[0]));
  assert.deepEqual([...d.lost], [], "a part is on its way");
  take(frame(9, [0, 1], block(0, goes(9)), block(9, key())));
  take(frame(10, [1]));
  assert.deepEqual([...d.lost], [], "nobody looks there any more");
});

test("silence says nothing at a tick at which a scope is not due", () => {
  const { d, take } = client();
  const scopes = [watch(0, 4)];
  take(frame(9, scopes, block(0, key(50))));
  for (const [tick, is] of [[10, 9], [11, 9], [12, 12], [13, 12], [15, 12], [16, 16], [18, 16]] as const) {
    take(frame(tick, scopes));
    assert.equal(d.tickOf(0), is, `tick ${tick}`);
  }
  assert.deepEqual(take(frame(19, scopes, block(0, goes(3)))), [], "a block may come at any tick, and builds on what was due");
  assert.deepEqual(take(frame(20, scopes, block(0, comes(7, 2)))), ["0 base"], "nothing is here of 18");
  take(frame(24, [watch(0, 256)], block(0, key(1))));
  take(frame(255, [watch(0, 256)]));
  assert.equal(d.tickOf(0), 24);
  take(frame(256, [watch(0, 256)]));
  assert.equal(d.tickOf(0), 256);
});

test("of several scopes that have a row the newest tick wins", () => {
  for (const scopes of [[watch(NEAR), watch(FAR, 4)], [watch(FAR, 4), watch(NEAR)]]) {
    const { take, hp, told } = client();
    const first = [block(FAR, key(80)), block(NEAR, key())];
    take(frame(8, scopes, ...first));
    assert.deepEqual(hp(), [80]);
    take(frame(9, scopes, block(NEAR, comes(90))));
    assert.deepEqual([hp(), told()], [[90], ["change 1"]]);
    take(frame(12, scopes, block(FAR, goes(4))));
    assert.deepEqual([hp(), told()], [[90], []]);
  }
});

test("a row that left a cell is kept until the slowest scope had time to have it", () => {
  const scopes = [watch(NEAR), watch(FAR, 4)];
  const begin = () => {
    const c = client();
    c.take(frame(8, scopes, block(NEAR, key(50)), block(FAR, key())));
    c.take(frame(9, scopes, block(NEAR, goes())));
    assert.deepEqual([c.hp(), c.told()], [[50], []]);
    return c;
  };
  const came = begin();
  came.take(frame(11, scopes));
  came.take(frame(12, scopes, block(FAR, comes(40, 4))));
  assert.deepEqual([came.hp(), came.told()], [[40], ["change 1"]]);

  const died = begin();
  for (const tick of [10, 11]) died.take(frame(tick, scopes));
  assert.deepEqual(died.hp(), [50]);
  died.take(frame(12, scopes));
  assert.deepEqual([died.hp(), died.told()], [[], ["remove 1"]]);

  const skipped = begin(); // the time is counted in ticks
  skipped.take(frame(14, scopes));
  assert.deepEqual(skipped.told(), ["remove 1"]);

  const taken = begin(); // its slot is another row's: it is gone for good
  taken.take(frame(10, scopes, block(NEAR, comes(60, 1, 0, 2))));
  assert.deepEqual([taken.hp(), taken.told()], [[60], ["add 2", "remove 1"]]);

  const faster = begin(); // nothing slow is watched any more
  faster.take(frame(10, [watch(NEAR)]));
  assert.deepEqual(faster.told(), ["remove 1"]);
});

test("a row that left a scope which is no cell is gone at once", () => {
  for (const scope of [0, 1, 0x401]) {
    const { take, told } = client();
    const scopes = [scope, watch(FARTHER, 4)];
    take(frame(8, scopes, block(scope, key(50)), block(FARTHER, key())));
    take(frame(9, scopes, block(scope, goes())));
    assert.deepEqual(told(), ["remove 1"], `scope ${scope}`);
  }
});

test("an enum has names, a reference is an id, and a slice has no elements beyond its length", () => {
  const sc = Schema.parse(encode([1, [
    ["T", false, 4, [
      ["Mode", 10, 0, ["Idle", "Busy", "Lost"]], ["One", 10, 0, ["only"]], ["Prey", 12, 0, 1], ["Bag.len", 11, 0, 2],
      ["Bag.0.N", 3, 0, 8], ["Bag.0.Mode", 10, 0, ["a", "b"]], ["Bag.1.N", 3, 0, 8], ["Bag.1.Mode", 10, 0, ["a", "b"]], ["Last", 1, 0],
    ]],
    ["Other", false, 5, []],
  ], [], []]));
  const row = (mode: number, prey: number, len: number) => {
    const w = BlockWriter.begin(true).rows([], 1).id(0, 2).put(mode, 2).put(prey, 12).put(len, 2); // One has no bits
    return block(0, w.put(7, 8).put(1, 1).put(8, 8).put(0, 1).put(1, 1).bit(0, 0, 0, 0, 0, 0, 0, 0, 0).same());
  };
  const { take, shown } = client(sc);
  const head = { Mode: "Lost", One: "only", Prey: 4 * 0x10000 + 256 };
  assert.deepEqual(take(frame(1, [0], row(2, (4 << 9) | 256, 1))), []);
  assert.deepEqual(shown(), [[1, { ...head, "Bag.len": 1, "Bag.0.N": 7, "Bag.0.Mode": "b", Last: true }]]);
  assert.deepEqual(take(frame(2, [0], row(2, 0, 2))), []);
  assert.deepEqual(shown()[0]![1], {
    ...head, Prey: 0, "Bag.len": 2, "Bag.0.N": 7, "Bag.0.Mode": "b", "Bag.1.N": 8, "Bag.1.Mode": "a", Last: true,
  });
  take(frame(3, [0], row(0, 0, 0)));
  assert.deepEqual(Object.keys(shown()[0]![1]), ["Mode", "One", "Prey", "Bag.len", "Last"]);
  for (const [name, bad] of [
    ["a value without a name", row(3, 0, 0)], ["a longer slice", row(0, 0, 3)], ["generation 0", row(0, 1 << 9, 0)],
    ["generation 257", row(0, 257, 0)],
  ] as const) assert.deepEqual(client(sc).take(frame(1, [0], bad)), ["0 block"], name);
});

test("columns for a team are in the team's scope, or in that of an owner who is in none", () => {
  const sc = table(["Owner", 3, 32, 16], ["Ammo", 3, 1, 8], ["Plan", 3, 16, 8], ["Marks.len", 11, 16, 1], ["Marks.0", 3, 16, 8]);
  const room = block(0, BlockWriter.begin(true).rows([], 2).id(0, 2).put(1, 16).id(1, 2).put(2, 16).bit(0));
  const plan = (w: BlockWriter, slot: number, n: number) => w.rows([], 1).id(slot, 2).put(n, 8).put(1, 1).put(n, 8).bit(0, 0, 0);
  const ammo = BlockWriter.begin(true).same().rows([], 1).id(0, 2).put(9, 8).bit(0); // shared, own, and then the team's
  const alone = client(sc);
  assert.deepEqual(alone.take(frame(1, [0, 1], room, block(1, plan(ammo, 0, 5)))), []);
  assert.deepEqual(alone.shown(), [[1, { Owner: 1, Ammo: 9, Plan: 5, "Marks.len": 1, "Marks.0": 5 }], [65537, { Owner: 2 }]]);

  const team = client(sc);
  const own = BlockWriter.begin(true).same().rows([], 1).id(0, 2).put(9, 8).bit(0).same();
  const ours = BlockWriter.begin(true).same(); // shared, and then the team's
  ours.rows([], 2).id(0, 2).put(5, 8).put(0, 1).put(0, 8).id(1, 2).put(6, 8).put(1, 1).put(3, 8).bit(0, 0, 0);
  assert.deepEqual(team.take(frame(1, [0, 1, 0x401], room, block(1, own), block(0x401, ours))), []);
  assert.deepEqual(team.shown(), [
    [1, { Owner: 1, Ammo: 9, Plan: 5, "Marks.len": 0 }], [65537, { Owner: 2, Plan: 6, "Marks.len": 1, "Marks.0": 3 }],
  ]);
  team.take(frame(2, [0, 1]));
  assert.deepEqual(team.shown()[1], [65537, { Owner: 2 }], "the seat left the team");
});

test("elements that only the owner has are those of a slice whose length everybody has", () => {
  const { take, shown } = client(table(["Owner", 3, 32, 16], ["Bag.len", 11, 0, 2], ["Bag.0.N", 3, 1, 8], ["Bag.1.N", 3, 1, 8]));
  const room = BlockWriter.begin(true).rows([], 1).id(0, 2).put(1, 16).put(1, 2).bit(0, 0);
  const own = BlockWriter.begin(true).same().rows([], 1).id(0, 2).put(7, 8).put(0, 8).bit(0, 0);
  take(frame(1, [0, 1], block(0, room), block(1, own)));
  assert.deepEqual(shown(), [[1, { Owner: 1, "Bag.len": 1, "Bag.0.N": 7 }]]);
});
