import assert from "node:assert/strict";
import { test } from "node:test";

import { Saved } from "./saved.ts";

test("an edit is saved when the room has it and cannot lose it any more, however the pointer moves meanwhile", () => {
  const s = new Saved();
  assert.equal(s.state, "saved");
  s.edited();
  assert.equal(s.frame(1, 10, 10), "saving", "it is on its way");
  assert.equal(s.frame(0, 11, 10), "saving", "the room has it");
  assert.equal(s.frame(0, 13, 10), "saving", "the pointer has moved");
  assert.equal(s.frame(0, 14, 11), "saved", "the edit is durable, if not the pointer");
});

test("an edit that comes while another one becomes durable has to be saved, too", () => {
  const s = new Saved();
  s.edited();
  s.frame(0, 5, 4);
  s.edited();
  assert.equal(s.frame(1, 5, 5), "saving");
  assert.equal(s.frame(0, 6, 5), "saving");
  assert.equal(s.frame(0, 6, 6), "saved");
});
