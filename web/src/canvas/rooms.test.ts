import assert from "node:assert/strict";
import { test } from "node:test";

import { addressOf, freshName, roomOf } from "./rooms.ts";

const ALLOWED = /^[a-z0-9][a-z0-9_-]{0,30}$/; // the lobby's rule

test("fresh names are ones that the lobby takes, and come back from an address as they are", () => {
  for (const random of [() => 0, () => 0.5, () => 0.999999]) {
    const name = freshName(random);
    assert.match(name, ALLOWED);
    assert.equal(roomOf(new URL(addressOf("http://here/canvas?sim=bad", name)).search), name);
  }
  assert.match(addressOf("http://here/canvas?sim=bad", "a"), /sim=bad/);
});

test("what people type as a room's name becomes one", () => {
  for (const [asked, name] of [
    ["?room=Minutes 2026", "minutes-2026"], ["?room=  Café Zoë! ", "cafe-zoe"], ["?room=--a", "a"], ["?room=<b>x</b>", "b-x-b"],
    ["?room=" + "long".repeat(20), "long".repeat(20).slice(0, 31)],
  ] as const) {
    assert.equal(roomOf(asked), name);
    assert.match(name, ALLOWED);
  }
  for (const none of ["", "?room=", "?room=%20", "?room=日本", "?other=a"]) assert.equal(roomOf(none), undefined, none);
});
