import assert from "node:assert/strict";
import { test } from "node:test";
import { readEvent } from "../src/event.js";
import { writeInput } from "../src/input.js";
import { MalformedError } from "../src/reader.js";
import { Schema } from "../src/schema.js";
import { Writer } from "../src/writer.js";
import { type Any, encode } from "./msgpack.js";
import { type Golden, golden, hex, ungolden, unhex } from "./vectors.js";

interface Vector {
  about: string;
  name?: string;
  given: Record<string, Golden>;
  read?: Record<string, Golden>;
  hex: string;
}

const schema = Schema.parse(unhex(golden<{ schema: string }>("proto/testdata/state.json").schema));

function values(fields: Record<string, Golden>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, v]) => [name, ungolden(v)]));
}

function written(input: object): string {
  const w = new Writer();
  writeInput(w, schema.input, input);
  return hex(w.bytes());
}

for (const v of golden<Vector[]>("proto/testdata/inputs.json")) {
  test(`an input is written as the golden bytes: ${v.about}`, () => assert.equal(written(values(v.given)), v.hex));
}

for (const v of golden<Vector[]>("proto/testdata/events.json")) {
  test(`an event is read as the golden values: ${v.about}`, () => {
    assert.deepEqual(readEvent(schema, unhex(v.hex)), { kind: "game", name: v.name, fields: values(v.read ?? {}) });
  });
}

test("fields that an input does not name are zero", () => {
  const [zero] = golden<Vector[]>("proto/testdata/inputs.json");
  assert.equal(written({}), zero!.hex);
});

test("what is no input of the game is refused with the field's name", () => {
  const bad: [object, typeof TypeError | typeof RangeError, RegExp][] = [
    [{ turn: 1 }, TypeError, /turn/],
    [{ Turn: 128 }, RangeError, /Turn.*128/],
    [{ Turn: 0.5 }, RangeError, /Turn/],
    [{ Turn: Number.NaN }, RangeError, /Turn/],
    [{ Turn: "1" }, TypeError, /Turn/],
    [{ Power: -1 }, RangeError, /Power/],
    [{ Power: 65536n }, RangeError, /Power/],
    [{ Big: 2 ** 53 }, RangeError, /Big/], // may have been rounded already
    [{ Huge: -1n }, RangeError, /Huge/],
    [{ Huge: 2n ** 64n }, RangeError, /Huge/],
    [{ Fire: 1 }, TypeError, /Fire/],
    [{ F32: Infinity }, RangeError, /F32/],
    [{ F32: 1e39 }, RangeError, /F32/],
    [{ F64: Number.NaN }, RangeError, /F64/],
    [{ Thrust: true }, TypeError, /Thrust/],
    [{ Say: 1 }, TypeError, /Say/],
    [{ Blob: [1] }, TypeError, /Blob/],
  ];
  for (const [input, type, text] of bad) assert.throws(() => written(input), (e) => e instanceof type && text.test(e.message));
  assert.doesNotThrow(() => written({ Turn: 5n, Big: -(2n ** 63n), Thrust: Number.NaN }));
});

test("text is cut between two characters", () => {
  const cut = (Say: string) => written({ Say });
  assert.equal(cut("123456789"), cut("12345678"));
  assert.equal(cut("1234567é"), cut("1234567"));
  assert.equal(cut("12345🂡🂢"), cut("12345"));
  assert.equal(cut("1234🂡🂢"), cut("1234🂡"));
  assert.notEqual(cut("1234🂡"), cut("1234"));
});

test("a refusal is an event of every game", () => {
  assert.deepEqual(readEvent(schema, encode([0, 7, "not yours"])), { kind: "refused", seq: 7, reason: "not yours" });
  assert.deepEqual(readEvent(schema, encode([0, 7, "not yours", 1])), { kind: "refused", seq: 7, reason: "not yours" });
});

test("events that are none of the schema's are refused, what is appended to one is passed over", () => {
  const hit = golden<Vector[]>("proto/testdata/events.json")[1]!;
  for (const body of [[3], [], [1, 2], [255], ["1"], [0, 7]] as Any[]) {
    assert.throws(() => readEvent(schema, encode(body)), MalformedError, JSON.stringify(body));
  }
  const longer = unhex(hit.hex + "07");
  longer[0]!++;
  assert.deepEqual(readEvent(schema, longer), readEvent(schema, unhex(hit.hex)));
  assert.throws(() => readEvent(schema, unhex(hit.hex + "07")), MalformedError);
});

test("an event's enum has its name, and a slice no elements beyond its length", () => {
  const fields: Any[] = [["How", 10, 0, ["Fist", "Bow"]], ["Of", 12, 0, 0], ["At.len", 11, 0, 2], ["At.0", 3, 0, 8], ["At.1", 3, 0, 8]];
  const sc = Schema.parse(encode([1, [["T", false, 4, []]], [], [["Hit", fields]]]));
  const read = (...v: Any[]) => readEvent(sc, encode([1, ...v]));
  const game = (values: object) => ({ kind: "game", name: "Hit", fields: values });
  assert.deepEqual(read(1, 0x30100, 1, 7, 0), game({ How: "Bow", Of: 0x30100, "At.len": 1, "At.0": 7 }));
  assert.deepEqual(read(0, 0, 2, 7, 8), game({ How: "Fist", Of: 0, "At.len": 2, "At.0": 7, "At.1": 8 }));
  const bad: Any[][] = [[2, 0, 0, 0, 0], [-1, 0, 0, 0, 0], ["Bow", 0, 0, 0, 0], [0, 0.5, 0, 0, 0], [0, 7 << 16, 0, 0, 0], [0, 0, 3, 0, 0]];
  for (const v of bad) assert.throws(() => read(...v), MalformedError, JSON.stringify(v));
});
