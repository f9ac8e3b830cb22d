import assert from "node:assert/strict";
import test from "node:test";
import { bytes, columnOf, columnsOf, niceTop, short, stack, timeOf } from "../src/overlay/plot.js";
import { Rate, Series } from "../src/overlay/series.js";
import { random } from "./random.js";

function series(size: number, ...values: [at: number, v: number][]): Series {
  const s = new Series(size);
  for (const [at, v] of values) s.push(at, v);
  return s;
}

test("a series keeps the newest values, and knows those of a time", () => {
  const s = series(3, [0, 1], [10, 2], [20, 3], [30, 4]);
  assert.deepEqual([s.length, s.value(), s.value(2), s.time(2)], [3, 4, 2, 10]);
  assert.ok(Number.isNaN(s.value(3)));
  assert.equal(s.time(3), -Infinity);
  assert.deepEqual([s.valueAt(30), s.valueAt(29), s.valueAt(99)], [4, 3, 4]);
  assert.ok(Number.isNaN(s.valueAt(9)), "what has gone is not made up");
});

test("extremes and quantiles are of the values after a time, without gaps", () => {
  const s = series(10, [1, 50], [2, -5], [3, NaN], [4, 7], [5, 3]);
  assert.deepEqual([s.max(0), s.min(0), s.max(1), s.min(3)], [50, -5, 7, 3]);
  assert.deepEqual([s.quantile(0.5, 0), s.quantile(1, 0), s.quantile(0, 0)], [3, 50, -5]);
  const empty = series(3, [1, NaN]);
  assert.deepEqual([empty.max(0), empty.min(0), empty.quantile(0.99, 0)], [0, 0, 0]);
});

test("a quantile is the nearest rank, as by sorting", () => {
  const dice = random(5);
  for (let round = 0; round < 50; round++) {
    const list = Array.from({ length: 1 + dice(40) }, () => dice(1000) - 500);
    const s = series(64, ...list.map((v, i): [number, number] => [i, v]));
    const sorted = [...list].sort((a, b) => a - b);
    for (const part of [0.01, 0.5, 0.9, 0.99, 1]) {
      const want = sorted.find((v) => list.filter((x) => x <= v).length >= part * list.length);
      assert.equal(s.quantile(part, -1), want);
    }
  }
});

test("a rate is that of the last second, however counts come", () => {
  const r = new Rate(10);
  const got: number[] = [];
  for (let at = 0; at <= 3000; at += 100) got.push(r.add(at, at < 1500 ? at * 2 : 3000));
  assert.deepEqual([got[0], got[5], got[10], got[14]], [0, 1000, 2000, 2000]);
  assert.deepEqual([got[20], got[25]], [1000, 0]);
  const seldom = new Rate(10); // as in a hidden page
  seldom.add(0, 0);
  assert.equal(seldom.add(5000, 500), 100);
  assert.equal(seldom.add(7000, 500), 0);
});

test("a rate that is asked for more often than it was told is of a shorter time, not of another", () => {
  const r = new Rate(10);
  let last = 0;
  for (let at = 0; at <= 2000; at += 25) last = r.add(at, at);
  assert.ok(last > 0 && last <= 1000, String(last));
});

test("a count that fell begins anew", () => {
  const r = new Rate(10);
  r.add(0, 100);
  r.add(500, 200);
  assert.equal(r.add(600, 10), 0);
  assert.equal(r.add(1600, 60), 50);
});

test("the top of a graph is round and at most a third above the greatest value", () => {
  const dice = random(8);
  for (let i = 0; i < 500; i++) {
    const v = 10 ** (8 * dice() - 3);
    const top = niceTop(v, 0);
    assert.ok(top >= v * (1 - 1e-9) && top <= v * 1.34, `${v}: ${top}`);
  }
  assert.deepEqual([niceTop(3, 50), niceTop(0, 0), niceTop(NaN, 0), niceTop(1006, 50)], [50, 1, 1, 1250]);
});

test("columns hold the greatest of their values, so that no peak is lost, or the least", () => {
  const s = series(9, [100, 1], [200, 9], [250, 2], [300, NaN], [450, 4], [500, 3]);
  const span = { now: 599, columnMs: 200, columns: 4 };
  assert.deepEqual([...columnsOf(s, span)], [NaN, 1, 9, 4]);
  assert.deepEqual([...columnsOf(s, span, "least")], [NaN, 1, 2, 3]);
});

test("a value stays in its column while time goes on, and what is to come is not shown", () => {
  const s = series(9, [100, 1], [300, 2], [900, 3]);
  const shown = (now: number) => [...columnsOf(s, { now, columnMs: 200, columns: 5 })];
  assert.deepEqual(shown(400), shown(599));
  assert.deepEqual(shown(400), [NaN, NaN, 1, 2, NaN]);
  assert.deepEqual(shown(600), [NaN, 1, 2, NaN, NaN]);
});

test("the pointer's column and its time are of one another", () => {
  const span = { now: 12_345, columnMs: 300, columns: 200 };
  for (let column = 0; column < 200; column++) assert.equal(columnOf(timeOf(column, span) - 1, span), column);
  assert.equal(columnOf(span.now, span), 199);
});

test("layers lie on each other, and what has no value has no height", () => {
  const tops = stack([Float64Array.of(1, NaN, 3), Float64Array.of(10, 20, NaN)]);
  assert.deepEqual(tops.map((t) => [...t]), [[1, 0, 3], [11, 20, 3]]);
  assert.deepEqual(stack([]), []);
});

test("numbers are told with the digits that matter", () => {
  for (const [v, want] of [[0, "0"], [0.014, "0.01"], [1.237, "1.24"], [48.62, "48.6"], [-1, "-1"], [1000, "1000"], [12_345, "12.3k"], [2.5e6, "2.5M"], [NaN, "–"]] as const) {
    assert.equal(short(v), want);
  }
  for (const [v, want] of [[0, "0 B"], [999, "999 B"], [1240, "1.24 kB"], [NaN, "–"]] as const) assert.equal(bytes(v), want);
});
