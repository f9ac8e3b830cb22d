import assert from "node:assert/strict";
import { test } from "node:test";
import { interpolateRow, Playout, type PlayoutOptions } from "../src/interpolate.js";
import { KIND_FIXED } from "../src/kinds.js";
import { Schema } from "../src/schema.js";
import type { Row } from "../src/tables.js";
import { random } from "./random.js";
import { type Golden, golden, ungolden, unhex } from "./vectors.js";

type GoldenRow = Record<string, Golden>;
type GoldenTables = Record<string, Record<string, GoldenRow>>;

interface Step {
  push?: number;
  reset?: boolean;
  now: number;
  shown?: number;
  delay: number;
  rows?: GoldenTables;
}

interface Vectors {
  rows: { about: string; a: GoldenRow; b: GoldenRow; shown: { at: number; glides: GoldenRow }[] }[];
  schema: string;
  playout: { about: string; options: PlayoutOptions; steps: Step[] }[];
}

const vectors = golden<Vectors>("proto/testdata/interpolate.json");
const ships = Schema.parse(unhex(golden<{ schema: string }>("proto/testdata/state.json").schema)).tables[0]!;
const schema = Schema.parse(unhex(vectors.schema));

function rowOf(row: GoldenRow): Row {
  return Object.fromEntries(Object.entries(row).map(([name, v]) => [name, ungolden(v)])) as Row;
}

function tablesOf(tables: GoldenTables): Record<string, Map<number, Row>> {
  return Object.fromEntries(Object.entries(tables).map(([name, rows]) => {
    return [name, new Map(Object.entries(rows).map(([id, row]) => [Number(id), rowOf(row)]))];
  }));
}

for (const v of vectors.rows) {
  test(`a row between two states has the golden bits: ${v.about}`, () => {
    const [a, b] = [rowOf(v.a), rowOf(v.b)];
    assert.ok(v.shown.length > 0);
    for (const { at, glides } of v.shown) {
      assert.deepEqual(interpolateRow(ships.fields, a, b, at), { ...(at < 1 ? a : b), ...rowOf(glides) }, `at ${at}`);
    }
  });
}

for (const v of vectors.playout) {
  test(`a buffer shows the golden times, delays and rows: ${v.about}`, () => {
    const playout = new Playout(schema, v.options);
    v.steps.forEach((step, i) => {
      if (step.reset) playout.reset();
      else if (step.push !== undefined) playout.push(step.push, tablesOf(step.rows ?? {}), step.now);
      else {
        const shown = playout.at(step.now);
        assert.equal(shown?.tick, step.shown, `time of step ${i}`);
        if (step.rows) assert.deepEqual(shown?.tables, tablesOf(step.rows), `rows of step ${i}`);
      }
      assert.equal(playout.delay, step.delay, `delay after step ${i}`);
    });
  });
}

test("a row in which nothing glides is the state's own", () => {
  const [a, b] = [rowOf(vectors.rows[0]!.a), rowOf(vectors.rows[0]!.b)];
  assert.equal(interpolateRow(ships.fields, a, b, 0.5), a);
  assert.equal(interpolateRow(ships.fields, a, b, 1.5), b);
});

test("the time shown never goes back, and stays within the delay's bounds", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const next = random(seed);
    const playout = new Playout(schema, { minDelay: 1, maxDelay: 6 });
    let [now, tick, before] = [0, 0, -Infinity];
    for (let i = 0; i < 300; i++) {
      now += next() * 2;
      if (next() < 0.6) playout.push((tick += next(4)), {}, now);
      assert.ok(playout.delay >= 1 && playout.delay <= 6);
      const shown = playout.at(now)?.tick ?? before;
      assert.ok(shown >= before && shown <= Math.max(tick + 2, now), `${shown} after ${before}`);
      before = shown;
    }
  }
});

test("a row that is put elsewhere neither glides there nor goes on so", () => {
  const schema = Schema.parse(unhex(golden<{ schema: string }>("proto/testdata/state.json").schema));
  const table = schema.tables[0]!;
  const glides = table.fields.find((f) => f.kind === KIND_FIXED)!;
  const zero = rowOf(vectors.rows[0]!.a);
  const row = (v: number) => new Map([[1, { ...zero, [glides.name]: v }]]);
  const seen = (snap: number) => {
    const playout = new Playout(schema, { minDelay: 0, maxDelay: 0, snap });
    playout.push(1, { [table.name]: row(0) }, 1);
    playout.push(2, { [table.name]: row(8) }, 2);
    return [1.5, 2, 3].map((at) => playout.at(at)!.tables[table.name]!.get(1)![glides.name]);
  };
  assert.deepEqual(seen(8), [4, 8, 16]);
  assert.deepEqual(seen(7), [0, 8, 8]);
});

test("bounds that make no sense are refused", () => {
  const bad = [{ minDelay: 3, maxDelay: 2 }, { minDelay: -1 }, { maxDelay: 101 }, { maxDelay: Number.NaN }, { extrapolate: -1 }, { catchUp: 0.5 }, { snap: 0 }];
  for (const o of bad) {
    assert.throws(() => new Playout(schema, o), RangeError, JSON.stringify(o));
  }
});
