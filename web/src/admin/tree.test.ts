import assert from "node:assert/strict";
import { test } from "node:test";

import { linesOf, parentOf, show, treeOf } from "./tree.ts";

const state = {
  tick: 7,
  tables: [
    { name: "Ships", single: false, count: 3, rows: [{ id: 65537, fields: { Name: "Ann <b>", "Pos.X": 1.5, "Pos.Y": -0.1000000001, HP: 100 } }, { id: 65538, fields: {} }] },
    { name: "Round", single: true, count: 1, rows: [{ id: 1, fields: { Phase: "Playing", Ends: 3600 } }] },
    { name: "Bullets", single: false, count: 0, rows: [] },
  ],
};

test("tables, rows and fields are a tree, and what is missing is said", () => {
  const tree = treeOf(state);
  assert.deepEqual(tree.map((b) => [b.name, b.value, b.children.length]), [
    ["Ships", "3 rows", 3], ["Round", 'Phase "Playing"  Ends 3600', 2], ["Bullets", "0 rows", 0],
  ]);
  const [ann, , more] = tree[0]!.children;
  assert.equal(ann!.name, "#65537");
  assert.deepEqual(ann!.children.map((b) => [b.name, b.value]), [["Name", '"Ann <b>"'], ["Pos", "X 1.5  Y -0.1"], ["HP", "100"]]);
  assert.deepEqual(ann!.children[1]!.children.map((b) => [b.path, b.value, b.level]), [["Ships/65537/Pos./X", "1.5", 4], ["Ships/65537/Pos./Y", "-0.1", 4]]);
  assert.equal(more!.value, "1 more rows are not sent");
});

test("lines follow what is open, and know their places", () => {
  const tree = treeOf(state);
  assert.deepEqual(linesOf(tree, new Set()).map((l) => [l.branch.name, l.open, l.place, l.of]), [
    ["Ships", false, 1, 3], ["Round", false, 2, 3], ["Bullets", false, 3, 3],
  ]);
  const lines = linesOf(tree, new Set(["Ships", "Ships/65537", "Bullets", "gone"]));
  assert.deepEqual(lines.map((l) => l.branch.name), ["Ships", "#65537", "Name", "Pos", "HP", "#65538", "…", "Round", "Bullets"]);
  assert.equal(lines.at(-1)!.open, false, "nothing is below it");
  assert.deepEqual([0, 1, 4, 5, 7].map((i) => parentOf(lines, i)), [0, 0, 1, 0, 7]);
});

test("a value is one line whatever it is", () => {
  assert.deepEqual(["a\nb", 3, 0.1 + 0.2, true, null, undefined, [1]].map(show), ['"a\\nb"', "3", "0.3", "true", "–", "–", "[1]"]);
});

test("a row of many long fields is told in few words", () => {
  const [table] = treeOf({ tick: 1, tables: [{ name: "T", single: false, count: 1, rows: [{ id: 1, fields: { A: "x".repeat(500), B: 1 } }] }] });
  const { value } = table!.children[0]!;
  assert.ok(value.length <= 80, value);
});
