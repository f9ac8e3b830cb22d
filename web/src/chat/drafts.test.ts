import assert from "node:assert/strict";
import { test } from "node:test";

import { Prefs } from "../shared/prefs.ts";
import { Drafts } from "./drafts.ts";

/** A tab's storage, and how many texts are in it. */
function tab(): { prefs: Prefs; kept: Map<string, string> } {
  const kept = new Map<string, string>();
  const prefs = new Prefs(() => ({
    getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value), removeItem: (key) => void kept.delete(key),
  }));
  return { prefs, kept };
}

test("drafts are there again when the page is loaded anew, each in its conversation", () => {
  const { prefs } = tab();
  const before = new Drafts("ann", prefs);
  before.set("direct:ben", "Shall we");
  before.set("group:7", "Eight\no'clock ");
  const after = new Drafts("ann", prefs);
  assert.equal(after.get("direct:ben"), "Shall we");
  assert.equal(after.get("group:7"), "Eight\no'clock ");
  assert.equal(after.get("direct:cleo"), "");
});

test("what was sent or wiped out is kept no longer, and nothing of it stays in the tab", () => {
  const { prefs, kept } = tab();
  const drafts = new Drafts("ann", prefs);
  drafts.set("direct:ben", "Shall we");
  drafts.set("direct:ben", " ");
  assert.equal(drafts.get("direct:ben"), "");
  assert.equal(kept.size, 0);
  drafts.set("direct:ben", "again");
  drafts.clear();
  assert.equal(new Drafts("ann", prefs).get("direct:ben"), "");
  assert.equal(kept.size, 0);
});

test("another player in the same tab does not see them", () => {
  const { prefs } = tab();
  new Drafts("ann", prefs).set("direct:ben", "for Ben alone");
  assert.equal(new Drafts("cleo", prefs).get("direct:ben"), "");
});

test("of more than twenty the ones that were left alone longest are forgotten, and long ones are cut", () => {
  const { prefs } = tab();
  const drafts = new Drafts("ann", prefs);
  for (let i = 0; i < 20; i++) drafts.set(`direct:${i}`, "a");
  drafts.set("direct:0", "still being written");
  drafts.set("direct:new", "b".repeat(5000));
  for (const d of [drafts, new Drafts("ann", prefs)]) {
    assert.equal(d.get("direct:0"), "still being written");
    assert.equal(d.get("direct:1"), "");
    assert.equal(d.get("direct:2"), "a");
    assert.equal(d.get("direct:new"), "b".repeat(2000));
  }
});

test("what is kept and is no draft does no harm", () => {
  for (const text of ["", "{", "null", "7", "{}", "[[1,2]]", '[["direct:ben"]]', '["direct:ben"]', JSON.stringify([["direct:ben", "b".repeat(2001)]])]) {
    const { prefs } = tab();
    prefs.set("chat.drafts.ann", text);
    const drafts = new Drafts("ann", prefs);
    assert.equal(drafts.get("direct:ben"), "", text);
    drafts.set("direct:ben", "works");
    assert.equal(new Drafts("ann", prefs).get("direct:ben"), "works", text);
  }
});
