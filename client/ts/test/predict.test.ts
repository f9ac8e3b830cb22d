import assert from "node:assert/strict";
import { test } from "node:test";
import type { Field } from "../src/field.js";
import { FLIPPED, Guesses, isSmooth, param, Predictor, QUIET, unresidual } from "../src/predict.js";

function field(kind: number, rest: Partial<Field> = {}): Field {
  return { name: "F", kind, flags: 0, bits: 0, max: 0, min: 0, least: 0, step: 0, top: 0, names: [], ref: 0, ...rest };
}

const number = field(2, { bits: 32 });
const angle = field(7, { bits: 8 });

test("the guess is that of the predictor which would have done best", () => {
  const cases: [name: string, f: Field, newestFirst: number[], value: number, mean: number, sign: number][] = [
    ["one state", number, [7], 7, -1, 0],
    ["two, the same", number, [7, 7], 7, -1, 0],
    ["two: it goes on", number, [8, 7], 9, 8, 0],
    ["three, the same", number, [7, 7, 7], 7, -1, 0],
    ["three: an even pace", number, [30, 20, 10], 40, 0, 0],
    ["three: last misses (3 × 1 + 1)/4, linear 2", number, [6, 7, 6], 6, 16, -2],
    ["three: last misses (3 × 4 + 0)/4, linear 4", number, [4, 0, 0], 4, 48, 4],
    ["three: linear misses 1", number, [21, 11, 0], 31, 16, -1],
    ["three: last misses (3 × 3 + 7)/4, linear 4: last", number, [10, 7, 0], 10, 64, -4],
    ["four, the same", number, [7, 7, 7, 7], 7, -1, 0],
    ["four: an even pace", number, [40, 30, 20, 10], 50, 0, 0],
    ["four: evenly faster", number, [9, 4, 1, 0], 16, 0, 2],
    ["four: it has just stopped, (0 + 10 + 10)/5", number, [20, 20, 10, 0], 20, 64, -10],
    ["four: to and fro, (3 + 1 + 1)/5 against (3 × 2 + 2)/4", number, [1, 0, 1, 0], 1, 16, 4],
    ["four: linear misses 2/4, curved 2", number, [62, 41, 20, 1], 83, 8, -2],
    ["four: last misses (3 + 1 + 21)/5, linear 20/4: last", number, [23, 22, 21, 0], 23, 80, 20],
    ["four: linear misses (3 × 3 + 7)/4, curved 4: linear", number, [47, 27, 10, 0], 67, 64, -4],
    ["four: curved misses 1", number, [60, 30, 10, 1], 100, 16, 10],
    ["an angle goes on the short way round", angle, [2, 254, 250], 6, 0, 0],
    ["an angle's guess is not brought back", angle, [254, 250, 246], 258, 0, 0],
    ["half a turn counts as back", angle, [128, 0], 0, 1024, 0],
  ];
  for (const [name, f, h, value, mean, sign] of cases) {
    const p = new Predictor(f);
    p.guess(h.length, h[0]!, h[1], h[2], h[3]);
    assert.deepEqual([p.value, p.mean, p.sign], [value, mean, sign], name);
  }
});

test("a parameter grows with the bits of a twentieth of the mean", () => {
  const means = [0, 15, 16, 35, 36, 75, 76, 155, 156];
  assert.deepEqual(means.map(param), [0, 0, 1, 1, 2, 2, 3, 3, 4]);
  assert.equal(param(80 * 2 ** 40), 43);
});

test("what is expected of a row depends on the others, too", () => {
  const like = (...means: number[]) => {
    const p = new Predictor(number);
    const g = new Guesses();
    g.column(p, means.length, (row) => {
      p.mean = means[row]!;
      p.sign = row % 2 === 1 ? -1 : 1;
    });
    return [...g.like];
  };
  assert.deepEqual(like(-1, 0, 0), [QUIET, QUIET, QUIET]);
  assert.deepEqual(like(-1, 0, 40), [QUIET, 2, 2]); // no less than half of them: the least k that more than half do not exceed
  assert.deepEqual(like(0, 40, 0), [0, 2 + FLIPPED, 0]);
  assert.deepEqual(like(16, 16, -1, 2), [1, 1 + FLIPPED, QUIET, 1 + FLIPPED]);
  assert.deepEqual(like(-1, 40), [QUIET, 2 + FLIPPED]);
  assert.deepEqual(like(0, 2, -1, -1), [0, FLIPPED, QUIET, QUIET]); // a mean of one sixteenth for each that moved
  assert.deepEqual(like(0, 0, 2, -1), [QUIET, QUIET, 0, QUIET]);
});

test("a residual leads from the guess to the value", () => {
  assert.deepEqual([0, 1, 2, 3, 4].map((z) => unresidual(number, z, 10)), [10, 9, 11, 8, 12]);
  assert.deepEqual([0, 1, 6].map((z) => unresidual(angle, z, 258)), [2, 1, 5]);
  assert.equal(unresidual(angle, 7, 0), 252);
  assert.deepEqual([0, 1, 2, 3].map((z) => unresidual(number, z, 10, true)), [10, 11, 9, 12]);
  assert.equal(unresidual(angle, 256, 130, true), 2); // half a turn
  assert.equal(unresidual(number, 2 ** 44 - 1, 2 ** 41), 2 ** 41 - 2 ** 43);
});

test("columns of more than 40 bits, floats and text are not predicted", () => {
  const smooth = [field(1), angle, number, field(3, { bits: 32 }), field(4, { top: 2 ** 40 - 1 })];
  const others = [
    field(2, { bits: 64 }), field(3, { bits: 64 }), field(4, { top: 2 ** 40 }), field(5), field(6), field(8, { max: 1 }),
    field(9, { max: 1 }),
  ];
  assert.ok(smooth.every(isSmooth));
  assert.ok(!others.some(isSmooth));
});
