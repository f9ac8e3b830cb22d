import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { decodePoints, encodePoints } from "./model_points.ts";
import { piecesOf, RETRIED } from "./text.ts";
import { characters, Doc, merged, rangesOf, unitsOf, whichOf } from "./text_doc.ts";

type Triple = [number, number, number];

interface Golden {
  edits: {
    steps: { author: number; op: string; n: number; at: [number, number]; text: string; which: Triple[]; says: string }[];
    rows: { id: number; after: number; run: Triple; text: string }[];
  }[];
  points: { points: [number, number][]; text: string }[];
  ranges: { ranges: Triple[]; which: string }[];
  reasons: string[];
}

// Written by games/canvas' tests, from its rules.
const golden = JSON.parse(readFileSync(new URL("../../../games/canvas/testdata/golden.json", import.meta.url), "utf8")) as Golden;

const ranges = (list: Triple[]) => list.map(([author, n, count]) => ({ author, n, count }));

golden.edits.forEach(({ steps, rows }, i) => {
  test(`commands do to a text what they do on the server, ${i}`, () => {
    const doc = new Doc();
    for (const { author, op, n, at, text, which, says } of steps) {
      if (op === "Insert") assert.ok(doc.insert(author, n, { author: at[0], n: at[1] }, text));
      else if (op === "Delete") doc.delete(author, ranges(which));
      else doc.restore(author, ranges(which));
      assert.equal(doc.text, says);
    }
    const runs = new Map(rows.map(({ id, after, run: [Author, N, Len], text }) => [id, { After: after, Author, N, Len, Text: text }]));
    assert.equal(new Doc(piecesOf(runs)).text, doc.text);
    // The same characters are deleted, at the same places.
    const names = (d: Doc) => d.pieces.flatMap((p) => Array.from({ length: p.len }, (_, k) => `${p.author}:${p.n + k}${p.text ? "" : "-"}`));
    assert.deepEqual(names(new Doc(piecesOf(runs))), names(doc));
  });
});

test("points are written as the server writes them, and read", () => {
  for (const { points, text } of golden.points) {
    const list = points.map(([x, y]) => ({ x, y }));
    assert.equal(encodePoints(list), text);
    assert.deepEqual(decodePoints(text), list);
  }
});

test("points that are none end a list", () => {
  assert.deepEqual(decodePoints(encodePoints([{ x: 1, y: 2 }]) + "A~"), [{ x: 1, y: 2 }]);
});

test("ranges are written as the server reads them", () => {
  for (const { ranges: list, which } of golden.ranges) assert.deepEqual(whichOf(ranges(list)).map((b) => Buffer.from(b).toString("hex")), [which]);
});

test("reasons to try again are the server's words", () => {
  assert.deepEqual(RETRIED, golden.reasons);
});

test("ranges that touch become one, and many become several commands", () => {
  assert.deepEqual(merged(ranges([[2, 1, 1], [1, 5, 2], [1, 1, 4], [1, 6, 3], [1, 10, 1]])), ranges([[1, 1, 8], [1, 10, 1], [2, 1, 1]]));
  const many = Array.from({ length: 1000 }, (_, i): Triple => [1, 2 * i + 1, 1]);
  const list = whichOf(ranges(many));
  assert.ok(list.length > 2 && list.every((b) => b.length <= 960));
});

test("a character may be two units", () => {
  assert.equal(characters("a😀b"), 3);
  assert.equal(unitsOf("a😀b", 2), 3);
  const doc = new Doc();
  doc.insert(1, 1, { author: 0, n: 0 }, "a😀b");
  assert.deepEqual([0, 1, 2, 3, 4, 9].map((p) => doc.placeAt(p).n), [0, 1, 1, 2, 3, 3]);
  assert.deepEqual([1, 2, 3].map((n) => doc.positionOf({ author: 1, n })), [1, 3, 4]);
  assert.deepEqual(doc.between(1, 3), [{ author: 1, n: 2, text: "😀" }]);
});

test("a position behind what is deleted is behind what is left before it", () => {
  const doc = new Doc();
  doc.insert(1, 1, { author: 0, n: 0 }, "abcdef");
  doc.delete(1, ranges([[1, 2, 3]]));
  assert.equal(doc.text, "aef");
  assert.equal(doc.positionOf({ author: 1, n: 3 }), 1);
  assert.deepEqual(doc.placeAt(1), { author: 1, n: 1 });
  assert.deepEqual(doc.between(0, 2), [{ author: 1, n: 1, text: "a" }, { author: 1, n: 5, text: "e" }]);
  assert.equal(doc.positionOf({ author: 2, n: 1 }), undefined);
});

test("what is brought back is known, or said", () => {
  const doc = new Doc([{ author: 1, n: 1, len: 4, text: "" }]);
  doc.restore(2, ranges([[1, 2, 2]]));
  assert.equal(doc.text, "");
  doc.restore(2, ranges([[1, 2, 2]]), [{ author: 1, n: 1, text: "ab" }, { author: 1, n: 3, text: "c" }]);
  assert.equal(doc.text, "bc");
  assert.deepEqual(doc.within(ranges([[1, 1, 9]]), true), ranges([[1, 2, 2]]));
  assert.deepEqual(rangesOf([{ author: 1, n: 2, text: "b" }, { author: 1, n: 3, text: "c" }]), ranges([[1, 2, 2]]));
});
