import assert from "node:assert/strict";
import { test } from "node:test";
import type { Field } from "../src/field.js";
import { isSmooth, param, Predictor, QUIET, unresidual } from "../src/predict.js";

function field(kind: number, rest: Partial<Field> = {}): Field {
  return { name: "F", kind, flags: 0, bits: 0, max: 0, min: 0, step: 0, top: 0, ...rest };
}

const number = field(2, { bits: 32 });
const angle = field(7, { bits: 8 });

test("the guess is that of the predictor which would have done best", () => {
  const cases: [name: string, f: Field, newestFirst: number[], value: number, k: number][] = [
    ["one state", number, [7], 7, QUIET],
    ["two, the same", number, [7, 7], 7, QUIET],
    ["two: it goes on; 1 is missed if not: 2 × 2 ≤ 3 × 2^0", number, [8, 7], 9, 0],
    ["two, 100 apart: 4 × 50 ≤ 3 × 2^7", number, [200, 100], 300, 7],
    ["three, the same", number, [7, 7, 7], 7, QUIET],
    ["three: an even pace", number, [30, 20, 10], 40, QUIET],
    ["three: last misses (3 × 1 + 1)/4 = 1, linear 3 × 2/3 = 2", number, [6, 7, 6], 6, 1],
    ["three: last misses (3 × 4 + 0)/4 = 3, linear 4", number, [4, 0, 0], 4, 2],
    ["three: linear misses 1, last 10", number, [21, 11, 0], 31, 1],
    ["three: last misses (3 × 3 + 7)/4 = 4, linear 3 × 4/3 = 4: last", number, [10, 7, 0], 10, 3],
    ["four, the same", number, [7, 7, 7, 7], 7, QUIET],
    ["four: an even pace", number, [40, 30, 20, 10], 50, QUIET],
    ["four: evenly faster", number, [9, 4, 1, 0], 16, QUIET],
    ["four: it has just stopped, (0 + 10 + 10)/5 against (3 × 10 + 0)/4", number, [20, 20, 10, 0], 20, 3],
    ["four: to and fro, (3 + 1 + 1)/5 against (3 × 2 + 2)/4", number, [1, 0, 1, 0], 1, 1],
    ["four: linear misses 2/4, curved 2", number, [62, 41, 20, 1], 83, 0],
    ["four: last misses (3 + 1 + 21)/5 = 5, linear 20/4 = 5: last", number, [23, 22, 21, 0], 23, 3],
    ["four: linear misses (3 × 3 + 7)/4 = 4, curved 4: linear", number, [47, 27, 10, 0], 67, 3],
    ["an angle goes on the short way round", angle, [2, 254, 250], 6, QUIET],
    ["an angle's guess is not brought back", angle, [254, 250, 246], 258, QUIET],
    ["half a turn counts as back", angle, [128, 0], 0, 7],
  ];
  for (const [name, f, h, value, k] of cases) {
    const p = new Predictor(f);
    p.guess(h.length, h[0]!, h[1], h[2], h[3]);
    assert.deepEqual([p.value, p.k], [value, k], name);
  }
});

test("a parameter is the least for which three buckets hold twice what is expected", () => {
  for (let mean = 0; mean < 4000; mean += 7) {
    let k = 0;
    while (3 * 2 ** k < Math.floor(mean / 8) * 2) k++;
    assert.equal(param(mean), k, `${mean} sixteenths`);
  }
  assert.equal(param(80 * 2 ** 40), 43);
});

test("a residual leads from the guess to the value", () => {
  assert.deepEqual([0, 1, 2, 3, 4].map((z) => unresidual(number, z, 10)), [10, 9, 11, 8, 12]);
  assert.deepEqual([0, 1, 6].map((z) => unresidual(angle, z, 258)), [2, 1, 5]);
  assert.equal(unresidual(angle, 7, 0), 252);
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
