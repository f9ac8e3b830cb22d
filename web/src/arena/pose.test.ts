import assert from "node:assert/strict";
import { test } from "node:test";

import { turn } from "./pose.ts";

test("angles turn the short way round", () => {
  const near = (got: number, want: number) => assert.ok(Math.abs(got - want) < 1e-9, `${got} is not ${want}`);
  near(turn(0.1, 6.2), 6.1 - 2 * Math.PI);
  near(turn(6.2, 0.1), 2 * Math.PI - 6.1);
  near(turn(1, 2), 1);
  near(turn(-9 * Math.PI, 0), Math.PI);
});
