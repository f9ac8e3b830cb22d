import assert from "node:assert/strict";
import { test } from "node:test";

import { path, wish, type Wish } from "./address.ts";

test("an address is read as it was written", () => {
  const list: Wish[] = [
    { kind: "list" },
    { kind: "room", id: "x5n2" },
    { kind: "match", id: "x5n2", as: "" },
    { kind: "match", id: "x5n2", as: "seat:3" },
    { kind: "session", id: "replay-p1-s1", key: "" },
    { kind: "session", id: "replay-p1-s1", key: "k3y" },
  ];
  for (const w of list) {
    const url = new URL(path(w), "http://a");
    assert.deepEqual(wish(url.search, url.hash), w, url.href);
  }
});

test("what is no id asks for the list", () => {
  for (const q of ["?room=", "?room=../x", "?match=A", "?session=%3Cscript%3E", "?room=" + "a".repeat(65)]) {
    assert.deepEqual(wish(q), { kind: "list" }, q);
  }
  assert.deepEqual(wish("?match=a&as=god"), { kind: "match", id: "a", as: "" });
  assert.deepEqual(wish("?session=a", "#key=A/.."), { kind: "session", id: "a", key: "" });
});
