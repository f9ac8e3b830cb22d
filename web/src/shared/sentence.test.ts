import assert from "node:assert/strict";
import { test } from "node:test";

import { capital, sentence } from "./sentence.ts";

test("words become a sentence, and nothing becomes one that says so", () => {
  assert.equal(sentence("the room is full"), "The room is full.");
  assert.equal(sentence("Why?"), "Why?");
  assert.equal(sentence("wait …"), "Wait …");
  assert.equal(sentence(""), "Something went wrong, and nobody said what.");
});

test("a capital is put before the rest, and nothing stays nothing", () => {
  assert.equal(capital("arena"), "Arena");
  assert.equal(capital(""), "");
});
