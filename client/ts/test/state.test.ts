import assert from "node:assert/strict";
import { test } from "node:test";
import { BitReader } from "../src/bits.js";
import { Decoder } from "../src/decoder.js";
import { cellValue } from "../src/field.js";
import { type Frame, type Head, noHead, readFrame } from "../src/frame.js";
import { openMessage } from "../src/from_server.js";
import { fingerprint } from "../src/fingerprint.js";
import { MalformedError } from "../src/reader.js";
import { type Audience, Schema } from "../src/schema.js";
import { type Row, Tables } from "../src/tables.js";
import { random } from "./random.js";
import { type Golden, golden, ungolden, unhex } from "./vectors.js";

interface State {
  schema: string;
  fingerprint: string;
  columns: Record<string, Record<string, string[]>>;
  frames: { about?: string; tick: number; hex: string; rows: Record<string, Record<string, Golden[][]>> }[];
}

const state = golden<State>("proto/testdata/state.json");
const schema = Schema.parse(unhex(state.schema));

/** The frames of the golden stream, as they are read one after the other. */
function frames(): Frame[] {
  let head: Head = noHead;
  return state.frames.map((f) => {
    const frame = readFrame(openMessage(unhex(f.hex)), head);
    head = frame.head;
    return frame;
  });
}

/** What the decoder has of a scope's table, in the golden form: each row's id and then its columns. */
function rowsOf(decoder: Decoder, key: string, name: string): unknown[][] {
  const { scope, to } = audienceOf(key);
  const i = schema.tables.findIndex((t) => t.name === name);
  const table = schema.tables[i]!;
  return decoder.rows(scope, i, to).map((row) => [
    row.id, ...table[to].map((c) => cellValue(table.fields[c]!, row.cells[c]!)),
  ]);
}

/** The scope and the audience that a key of the golden file names: "0", "1", or "1 team". */
function audienceOf(key: string): { scope: number; to: Audience } {
  const [scope, to] = key.split(" ");
  return { scope: Number(scope), to: to === "team" ? "team" : scope === "0" ? "room" : "own" };
}

test("the schema is read whole", () => {
  assert.equal(fingerprint(schema).toString(16).padStart(16, "0"), state.fingerprint);
  assert.deepEqual(schema.tables.map((t) => [t.name, t.single, t.max]), [
    ["Ships", false, 40], ["Dots", false, 32768], ["Round", true, 1],
  ]);
  assert.deepEqual(schema.events.map((e) => e.name), ["goldenHit", "goldenBell"]);
  for (const [scope, tables] of Object.entries(state.columns)) {
    for (const [name, columns] of Object.entries(tables)) {
      const table = schema.tables.find((t) => t.name === name)!;
      assert.deepEqual(table[audienceOf(scope).to].map((i) => table.fields[i]!.name), columns);
    }
  }
  assert.ok(!schema.tables[0]!.fields.some((f) => f.name === "Secret"));
});

test("every frame of the golden stream gives the golden rows in every scope", () => {
  const decoder = new Decoder(schema);
  let compared = 0;
  frames().forEach((frame, i) => {
    const want = state.frames[i]!;
    assert.deepEqual(decoder.apply(frame), [], `tick ${want.tick}`);
    assert.equal(decoder.tick, want.tick);
    for (const [scope, tables] of Object.entries(want.rows)) {
      for (const [name, rows] of Object.entries(tables)) {
        assert.deepEqual(rowsOf(decoder, scope, name), rows.map(ungolden), `tick ${want.tick} ${want.about}: ${name}`);
        compared += rows.length;
      }
    }
  });
  assert.ok(compared > 300);
});

test("the golden stream has what it is meant to test", () => {
  const list = frames();
  const heads = list.flatMap((f) => f.blocks.map(({ scope, data }) => {
    const r = new BitReader(data);
    return { tick: f.head.tick, scope, key: r.bit(), n: r.get(2) + 1, gap: r.number(0) + 1 };
  }));
  assert.deepEqual(heads.filter((h) => h.key).map((h) => [h.tick, h.scope, h.n]), [[1, 0, 1], [1, 1, 1], [20, 0, 4]]);
  const deltas = heads.filter((h) => !h.key);
  assert.deepEqual([...new Set(deltas.map((h) => h.gap))].sort(), [1, 2, 4]);
  assert.deepEqual([...new Set(deltas.map((h) => h.n))].sort(), [1, 2, 3, 4]);
  assert.ok(list.filter((f) => f.hashes.length === 2).length >= 5);
});

test("a view hash that differs drops that scope alone", () => {
  const decoder = new Decoder(schema);
  for (const frame of frames()) {
    if (frame.hashes.length === 0) {
      decoder.apply(frame);
      continue;
    }
    frame.hashes[1]!.sum ^= 1n;
    const errors = decoder.apply(frame);
    assert.deepEqual(errors.map((e) => [e.scope, e.reason]), [[1, "hash"]]);
    assert.deepEqual(decoder.scopes(), [0]);
    return;
  }
});

test("without the frame before, a delta is refused and a keyframe heals it", () => {
  const decoder = new Decoder(schema);
  const list = frames();
  decoder.apply(list[0]!);
  const second = decoder.apply(list[2]!); // frame 1 is missing
  assert.deepEqual(second.map((e) => e.reason), list[2]!.blocks.map(() => "base"));
  for (const frame of list.slice(3)) {
    const errors = decoder.apply(frame);
    if (frame.head.tick < 20) continue;
    assert.deepEqual(errors.filter((e) => e.scope === 0), []);
    const want = state.frames.find((f) => f.tick === frame.head.tick)!;
    assert.deepEqual(rowsOf(decoder, "0", "Ships"), want.rows["0"]!["Ships"]!.map(ungolden));
  }
});

test("a scope that the head does not name any more is gone", () => {
  const decoder = new Decoder(schema);
  const [first, second] = frames();
  decoder.apply(first!);
  decoder.apply({ ...second!, head: { ...second!.head, scopes: [0] }, blocks: second!.blocks.filter((b) => b.scope === 0) });
  assert.deepEqual(decoder.scopes(), [0]);
});

test("blocks that are cut or changed never throw and never leave a scope half decoded", () => {
  const list = frames();
  const rng = random(2);
  let failed = 0;
  for (let i = 0; i < list.length; i++) {
    for (const { scope, data } of list[i]!.blocks) {
      const wrongs = [data.slice(0, rng(data.length)), data.map(() => rng(256))];
      for (let k = 0; k < 8; k++) {
        const wrong = data.slice();
        wrong[rng(wrong.length)]! ^= 1 << rng(8);
        wrongs.push(wrong);
      }
      for (const wrong of wrongs) {
        const decoder = new Decoder(schema);
        for (const frame of list.slice(0, i)) decoder.apply(frame);
        const errors = decoder.apply({ head: list[i]!.head, hashes: [], blocks: [{ scope, data: wrong }] });
        assert.equal(decoder.tickOf(scope) !== undefined, errors.length === 0);
        failed += errors.length;
      }
    }
  }
  assert.ok(failed > 100);
});

test("a block that is cut short is none, wherever it is cut", () => {
  const list = frames();
  list.forEach(({ head, blocks }, i) => {
    for (const { scope, data } of blocks) {
      for (let n = 0; n < data.length; n += i < 3 ? 1 : 7) {
        const decoder = new Decoder(schema);
        for (const frame of list.slice(0, i)) decoder.apply(frame);
        const errors = decoder.apply({ head, hashes: [], blocks: [{ scope, data: data.subarray(0, n) }] });
        assert.deepEqual(errors.map((e) => [e.scope, e.reason]), [[scope, "block"]], `tick ${head.tick} cut to ${n}`);
      }
    }
  });
});

test("random bytes are blocks that are taken or refused, nothing else", () => {
  const rng = random(3);
  const head = { ...frames()[0]!.head, scopes: [0, 1, 0x401] };
  for (let round = 0; round < 3000; round++) {
    const decoder = new Decoder(schema);
    for (let tick = 1; tick <= 3; tick++) {
      const data = Uint8Array.from({ length: rng(tick === 1 ? 200 : 20) }, () => rng(rng(2) ? 256 : 16));
      if (tick === 1 && data.length > 0) data[0]! = (data[0]! & 0xf0) | 0x01; // a keyframe of one state
      const scope = head.scopes[rng(3)]!;
      const errors = decoder.apply({ head: { ...head, tick }, hashes: [], blocks: [{ scope, data }] });
      assert.equal(decoder.tickOf(scope) !== undefined, errors.length === 0);
      for (const [i, table] of schema.tables.entries()) assert.ok(decoder.rows(scope, i).length <= table.max);
    }
  }
});

test("a schema that is cut or changed is refused or read, nothing else", () => {
  const whole = unhex(state.schema);
  for (let n = 0; n < whole.length; n++) {
    assert.throws(() => Schema.parse(whole.subarray(0, n)), MalformedError);
    const wrong = whole.slice();
    wrong[n]! ^= 0x81;
    try {
      Schema.parse(wrong);
    } catch (e) {
      assert.ok(e instanceof MalformedError, String(e));
    }
  }
});

/** The golden rows of both scopes put together by hand. */
function merged(rows: Record<string, Record<string, Golden[][]>>, table: string): [number, Row][] {
  const named = (scope: string, row: Golden[]) =>
    Object.fromEntries(state.columns[scope]![table]!.map((name, i) => [name, ungolden(row[i + 1]!)]));
  return rows["0"]![table]!.map((row) => {
    const more = ["1", "1 team"].map((scope) => {
      const mine = rows[scope]![table]?.find((r) => r[0] === row[0]);
      return mine ? named(scope, mine) : {};
    });
    const whole = { ...named("0", row), ...more[0], ...more[1] } as Row;
    for (const name of Object.keys(whole)) {
      const [slice, index] = name.split(".");
      const len = whole[`${slice}.len`];
      if (typeof len === "number" && Number(index) >= len) delete whole[name];
    }
    return [row[0] as number, whole];
  });
}

test("tables put the scopes together, and tell each difference once", () => {
  const decoder = new Decoder(schema);
  const told = new Map<string, Map<number, Row>>(schema.tables.map((t) => [t.name, new Map()]));
  let calls = 0;
  const tables = new Tables(decoder, (what, table, id, row, before) => {
    calls++;
    const rows = told.get(table)!;
    if (what === "remove") {
      assert.equal(rows.get(id), row);
      rows.delete(id);
      return;
    }
    assert.equal(rows.get(id), before, "it is what was told before: none where it is added");
    assert.notDeepEqual(row, before);
    rows.set(id, row!);
  });
  frames().forEach((frame, i) => {
    decoder.apply(frame);
    const before = calls;
    tables.update();
    if (frame.head.tick === 20) assert.ok(calls - before < 10, "a keyframe tells of what changed only");
    for (const [name, view] of Object.entries(tables.views)) {
      const want = merged(state.frames[i]!.rows, name);
      assert.deepEqual([...view], want, `tick ${frame.head.tick} ${name}`);
      assert.equal(view.size, want.length);
      for (const [id, row] of want) assert.deepEqual(view.get(id), row);
      assert.deepEqual(told.get(name), new Map(view));
    }
  });
  assert.equal(tables.views["Round"]!.size, 1);
  assert.deepEqual(Object.keys(tables.views["Round"]!.get(1)!), ["Left", "Name"]);
});

test("a decoder that starts over tells the differences to the one before", () => {
  let told: string[] = [];
  const note = (what: string, table: string, id: number) => void told.push(`${what} ${table} ${id}`);
  const list = frames();
  const first = new Decoder(schema);
  const tables = new Tables(first, note);
  first.apply(list[0]!);
  tables.update();
  told = [];
  const held = tables.views["Ships"]!.get(1);
  const second = new Decoder(schema);
  tables.follow(second);
  assert.equal(tables.views["Ships"]!.get(1), held, "the old rows stay until the first frame");
  second.apply(list[0]!);
  tables.update();
  assert.equal(told.length, 0);
  assert.equal(tables.views["Ships"]!.get(1), held);
  const third = new Decoder(schema);
  tables.follow(third);
  third.apply({ ...list[0]!, blocks: [] });
  tables.update();
  assert.equal(told.length, 0, "its scopes may still come");
  third.apply({ ...list[0]!, head: { ...list[0]!.head, scopes: [] }, blocks: [] });
  tables.update();
  assert.equal(told.length, 3 + 40 + 1);
  assert.ok(told.every((t) => t.startsWith("remove")));
});
