import assert from "node:assert/strict";
import { test } from "node:test";

import { conditions } from "./instruments.ts";

test("an address names a network, or says in numbers what it is like", () => {
  assert.equal(conditions("mobile")?.latencyMs, 80);
  assert.equal(conditions("none")?.latencyMs, 0);
  assert.deepEqual(conditions("120,40,1000,8000"), { latencyMs: 120, jitterMs: 40, stallMs: 1000, stallEveryMs: 8000, dropEveryMs: 0 });
  assert.deepEqual(conditions("30"), { latencyMs: 30, jitterMs: 0, stallMs: 0, stallEveryMs: 0, dropEveryMs: 0 });
});

test("nonsense is no network", () => {
  for (const text of ["", "fast", "-1", "1,2,3,4,5,6", "1;2", "999999", "1e3"]) assert.equal(conditions(text), undefined, text);
});
