import assert from "node:assert/strict";
import { test } from "node:test";
import { atan2, cos, sin } from "../src/math.js";
import { float, golden } from "./vectors.js";

const vectors = golden<Record<"sin" | "cos" | "atan2", string[][]>>("proto/testdata/fixedmath.json");
const functions: Record<string, (...args: number[]) => number> = {
  sin: (x) => sin(x!), cos: (x) => cos(x!), atan2: (y, x) => atan2(y!, x!),
};

for (const [name, list] of Object.entries(vectors)) {
  test(`${name} has the golden bits`, () => {
    assert.ok(list.length > 300);
    for (const bits of list) {
      const args = bits.slice(0, -1).map(float);
      // Object.is tells 0 from -0 and takes NaN for itself.
      assert.ok(Object.is(functions[name]!(...args), float(bits.at(-1)!)), `${name}(${args})`);
    }
  });
}

test("they are what their names say", () => {
  for (let x = -10; x < 10; x += 0.37) {
    assert.ok(Math.abs(sin(x) - Math.sin(x)) < 1e-15 && Math.abs(cos(x) - Math.cos(x)) < 1e-15);
    assert.ok(Math.abs(atan2(x, 1.5) - Math.atan2(x, 1.5)) < 1e-15 && Math.abs(atan2(x, -1.5) - Math.atan2(x, -1.5)) < 1e-15);
  }
});
