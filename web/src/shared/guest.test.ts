import assert from "node:assert/strict";
import { test } from "node:test";

import { keepGuest, keptGuest } from "./guest.ts";
import { Prefs } from "./prefs.ts";

function memory(): Prefs {
  const kept = new Map<string, string>();
  return new Prefs(() => ({
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  }));
}

test("a guest is remembered, and what is no guest is not", () => {
  const prefs = memory();
  assert.equal(keptGuest(prefs), undefined);
  keepGuest({ name: "Anna", token: "t" }, prefs);
  assert.deepEqual(keptGuest(prefs), { name: "Anna", token: "t" });
  for (const bad of ["", "{", "null", "[]", '{"name":1,"token":"t"}', '{"name":"","token":"t"}', '{"name":"a"}']) {
    prefs.set("guest", bad);
    assert.equal(keptGuest(prefs), undefined, bad);
  }
});
